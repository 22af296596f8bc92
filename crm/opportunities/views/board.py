"""The list of opportunities as a board: a column for each stage, with its totals."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, ExpressionWrapper, F, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.entities.fields import Choice
from crm.kit.actor import Role
from crm.kit.timelimit import TooSlow, time_limit
from crm.lists.rows import Cursor, Sort, beyond, unpack
from crm.lists.spec import spec_of
from crm.lists.state import ListState, read
from crm.lists.views import TIME_LIMIT
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.entities import OPPORTUNITY
from crm.opportunities.models import Opportunity
from crm.users.http import Request
from crm.users.visibility import may_edit, visible

CARDS = 20  # of a column, at first and with each "more"
SORT = Sort(OPPORTUNITY.fields["close_date"], descending=False)
WEIGHTED = ExpressionWrapper(F("amount") * F("probability"), DecimalField(max_digits=20, decimal_places=6))


@dataclass
class Total:
    """Amounts in one currency: in full, and each times how likely it is."""

    currency: str
    amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)


@dataclass
class Column:
    """One stage: how many there are, what they add up to, the first cards, and where the others are."""

    stage: Choice
    count: int = 0
    totals: list[Total] = field(default_factory=list)
    cards: list[Opportunity] = field(default_factory=list)
    more: str = ""

    @property
    def is_open(self) -> bool:
        """Whether opportunities at the stage are in progress."""
        return self.stage.value in OPEN


@require_GET
def board(request: Request) -> HttpResponse:
    """What the list's URL asks for, by stage; with `column` and `after` the further cards of one column."""
    state = read(request, spec_of("opportunity"))
    rows = state.rows().filter(visible(state.by))
    wanted = request.GET.get("column", "")
    if wanted and wanted not in {choice.value for choice in STAGE.values}:
        raise Http404
    columns, too_slow = {choice.value: Column(choice) for choice in STAGE.values}, ""
    try:
        with time_limit(TIME_LIMIT):
            if wanted:
                columns = {wanted: columns[wanted]}
                _fill(columns, _further(rows.filter(stage=wanted), request.GET.get("after", "")), state)
            else:
                _fill(columns, _first(rows), state)
            if not request.htmx:
                _add_up(columns, rows)
    except TooSlow as error:
        too_slow = str(error)
    context = _frame(state, columns.values()) | {"too_slow": too_slow}
    if wanted:
        context["column"] = columns[wanted]
    template = "opportunities/cards.html" if wanted and request.htmx else "opportunities/board.html"
    return render(request, template, context)


def _first(rows: QuerySet) -> QuerySet:
    """The first cards of every column, in one statement, and one more of each to know whether there are any."""
    ordering: list[Any] = [F("close_date").asc(nulls_last=True), "pk"]
    place = Window(RowNumber(), partition_by="stage", order_by=ordering)
    return rows.annotate(place=place).filter(place__lte=CARDS + 1).order_by("place")


def _further(rows: QuerySet, after: str) -> QuerySet:
    cursor = unpack(after, SORT)
    rows = rows.annotate(sort_value=SORT.value())
    rows = rows.filter(beyond(cursor, SORT)) if cursor else rows
    return rows.order_by(*SORT.ordering(False))[: CARDS + 1]


def _fill(columns: dict[str, Column], cards: QuerySet, state: ListState) -> None:
    for card in cards.select_related("contact", "company", "owner__user"):
        column = columns[card.stage]
        if len(column.cards) == CARDS:
            last = column.cards[-1]
            after = Cursor(last.close_date, last.pk, 0, False).pack()
            column.more = f"{_url(state)}&column={card.stage}&after={after}"
        else:
            card.may_move = column.is_open and may_edit(card, state.by)
            column.cards.append(card)


def _add_up(columns: dict[str, Column], rows: QuerySet) -> None:
    groups = rows.order_by().values("stage", "currency")
    for group in groups.annotate(count=Count("pk"), total=Sum("amount"), weighted=Sum(WEIGHTED)):
        column = columns.get(group["stage"])
        if column:
            column.count += group["count"]
            if group["total"] is not None:
                column.totals.append(Total(group["currency"], group["total"], round(group["weighted"], 0)))
    for column in columns.values():
        column.totals.sort(key=lambda total: -total.amount)


def _frame(state: ListState, columns: Iterable[Column]) -> dict:
    return {
        "state": state,
        "spec": state.spec,
        "columns": columns,
        "steps": STAGE.values,
        "totals": _sum(columns),
        "board_url": _url(state),
        "list_url": state.url(column=None, ticked=None),
        # What the view itself asks is said by its name.
        "chips": state.condition.chips() if state.condition and "where" in state.params else [],
        "can_write": state.by.is_at_least(Role.REP),
        "today": timezone.localdate(),
    }


def _sum(columns: Iterable[Column]) -> list[Total]:
    """What is in progress, over all columns, by currency."""
    sums: dict[str, Total] = {}
    for total in (total for column in columns if column.is_open for total in column.totals):
        into = sums.setdefault(total.currency, Total(total.currency))
        into.amount, into.weighted = into.amount + total.amount, into.weighted + total.weighted
    return sorted(sums.values(), key=lambda total: -total.amount)


def _url(state: ListState) -> str:
    """The board's own address: the list's, with its view always named."""
    url = state.url(view=state.view.slug, column=None, ticked=None)
    return url.replace("/opportunity?", "/opportunity/board?", 1)
