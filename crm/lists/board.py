"""Board view of a list: a column per value of an axis, each with its first cards."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.entities.fields import Choice
from crm.kit.actor import Actor, Role
from crm.kit.registry import Registry
from crm.kit.timelimit import TooSlow, time_limit
from crm.lifecycle.axes import Axis
from crm.lists.paging import Cursor, Sort, parse_cursor, rows_after_cursor
from crm.lists.spec import spec_of
from crm.lists.state import ListState, read_state
from crm.users.http import Request
from crm.users.visibility import may_edit

CARDS = 20  # per column, initially and for each "more"


@dataclass(frozen=True)
class CardMove:
    """A column that a card may move to; a POST to `url` moves it, or (`asks`) `url` is a form to open first."""

    value: str
    label: str
    url: str
    asks: bool = False


@dataclass
class Column:
    """One value of the axis: record count, totals, first cards and move targets."""

    value: Choice
    is_open: bool
    count: int = 0
    totals: list[Any] = field(default_factory=list)
    cards: list[Any] = field(default_factory=list)
    more: str = ""


Columns = dict[str, Column]


def count_cards(rows: QuerySet, axis: Axis, columns: Columns) -> None:
    for value, count in rows.order_by().values_list(axis.field).annotate(Count("pk")):
        if value in columns:
            columns[value].count = count


def nothing(columns: Iterable[Column]) -> list[Any]:
    return []


@dataclass(frozen=True)
class Board:
    """How an entity's records are shown on a board.

    `steps(record, by)`: the allowed moves of a card; lists/card_menu.html lists them, and dragging triggers one.
    `groups()`: where the axis has groups of values, those that have a board each, the first one by default.
    `open_values` are the values in progress. `add_up(rows, axis, columns)` counts the columns and may set totals;
    `summary(columns)` is shown above them. `template` extends lists/board.html, `card` shows one record.
    """

    entity: str
    axis: Axis
    sort: Sort
    open_values: Sequence[str]
    related: tuple[str, ...]
    steps: Callable[[Any, Actor], list[CardMove]]
    card: str
    template: str = "lists/board.html"
    add_up: Callable[[QuerySet, Axis, Columns], None] = count_cards
    summary: Callable[[Iterable[Column]], list[Any]] = nothing
    groups: Callable[[], list[Choice]] = list

    def columns(self) -> Columns:
        """Return a column for every value, also for those that only old records may have."""
        values = (*self.axis.values, *self.axis.past)
        return {choice.value: Column(choice, choice.value in self.open_values) for choice in values}


_boards: Registry[Board] = Registry("board")


def register(board: Board) -> Board:
    return _boards.add(board.entity, board)


@require_GET
def board_page(request: Request, entity: str) -> HttpResponse:
    """Show the list of the URL by column; with `column` and `after` only further cards of one column."""
    state, shown = read_state(request, spec_of(entity)), _boards[entity]
    groups = shown.groups()
    chosen = _chosen(shown, groups, request)
    rows = state.rows().visible_to(state.by).annotate(sort_value=shown.sort.value())
    if groups:
        rows = rows.filter(**{f"{shown.axis.group_field}__in": [group.value for group in chosen]})
    columns, too_slow, wanted = shown.columns(), "", request.GET.get("column", "")
    if wanted and wanted not in columns:
        raise Http404
    try:
        with time_limit():
            if wanted:
                columns = {wanted: columns[wanted]}
                there = rows.filter(**{shown.axis.field: wanted})
                _fill(shown, columns, _further(shown, there, request.GET.get("after", "")), state)
            else:
                _fill(shown, columns, _first(shown, rows), state)
            if not request.htmx:
                shown.add_up(state.rows().visible_to(state.by), shown.axis, columns)
    except TooSlow as error:
        too_slow = str(error)
    names = {group.label for group in chosen} or {""}
    context = _frame(shown, state, [each for each in columns.values() if each.value.group in names])
    context |= {"too_slow": too_slow, "groups": _tabs(shown, state, groups, chosen)}
    context["total"] = shown.summary(columns.values()) if len(groups) > len(chosen) else []
    if wanted:
        context["column"] = columns[wanted]
    return render(request, "lists/cards.html" if wanted and request.htmx else shown.template, context)


def _chosen(shown: Board, groups: list[Choice], request: Request) -> list[Choice]:
    wanted = request.GET.getlist(shown.axis.group_field)
    return [group for group in groups if group.value in wanted] or groups[:1]


def _tabs(shown: Board, state: ListState, groups: list[Choice], chosen: list[Choice]) -> list[tuple[str, str, bool]]:
    """Return the label and URL of each group's board, and whether it is shown; none for a single group."""
    field = shown.axis.group_field
    tabs = [(str(group.label), _url(state, {field: group.value}), group in chosen) for group in groups]
    return tabs if len(tabs) > 1 else []


def _first(shown: Board, rows: QuerySet) -> QuerySet:
    """Return the first cards of every column in one statement, plus one of each to detect more."""
    place = Window(RowNumber(), partition_by=shown.axis.field, order_by=shown.sort.ordering(False))
    return rows.annotate(place=place).filter(place__lte=CARDS + 1).order_by("place")


def _further(shown: Board, rows: QuerySet, after: str) -> QuerySet:
    cursor = parse_cursor(after, shown.sort)
    rows = rows.filter(rows_after_cursor(cursor, shown.sort)) if cursor else rows
    return rows.order_by(*shown.sort.ordering(False))[: CARDS + 1]


def _fill(shown: Board, columns: Columns, cards: QuerySet, state: ListState) -> None:
    for card in cards.select_related(*shown.related):
        column = columns[getattr(card, shown.axis.field)]
        if len(column.cards) == CARDS:
            last = column.cards[-1]
            after = Cursor(last.sort_value, last.pk, 0, False).pack(shown.sort)
            column.more = f"{_url(state)}&column={column.value.value}&after={after}"
        else:
            card.steps = shown.steps(card, state.by) if may_edit(card, state.by) else []
            column.cards.append(card)


def _frame(shown: Board, state: ListState, columns: Iterable[Column]) -> dict:
    return {
        "board": shown,
        "state": state,
        "spec": state.spec,
        "columns": [each for each in columns if each.count or each.cards or each.value in shown.axis.values],
        "summary": shown.summary(columns),
        "board_url": _url(state),
        "list_url": state.url(column=None, ticked=None),
        # The view's name stands for its own condition.
        "chips": state.condition.chips() if state.condition and "where" in state.params else [],
        "can_write": state.by.is_at_least(Role.REP),
        "today": timezone.localdate(),
    }


def _url(state: ListState, also: Mapping[str, str] | None = None) -> str:
    """Return the board's own address: the list's, with its view always named."""
    url = state.url(view=state.view.slug, column=None, ticked=None, **(also or {}))
    return url.replace(f"/{state.spec.path}?", f"/{state.spec.path}/board?", 1)  # not a text
