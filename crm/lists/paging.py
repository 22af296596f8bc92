"""Paging of lists: visible rows only, keyset pages, and a count that stops at a thousand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.core.exceptions import BadRequest
from django.core.signing import BadSignature, Signer
from django.db import connection
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, NullIf

from crm.entities import registry
from crm.entities.fields import NUMBERS, TEXTS, Field, FieldType
from crm.entities.sql import Place, orm_value
from crm.entities.text import Fold
from crm.kit.actor import Actor, Role
from crm.kit.compiled_queries import run_cached
from crm.kit.phones import phone_parts
from crm.kit.scope import workspace
from crm.kit.sql import CountRows
from crm.kit.text import digits, search_key
from crm.kit.translation import gettext as _
from crm.lists.columns import Column
from crm.users.visibility import RecordQuerySet, branches, visible

_NAMED = {FieldType.USER, FieldType.TEAM, FieldType.LINK}
PAGE = 50
CAP = 1000
LONGEST = 200  # characters of a search text


@dataclass(frozen=True)
class Sort:
    """A sort field and its direction. Empty values come last in both."""

    field: Field
    descending: bool

    @property
    def indexed(self) -> bool:
        """Whether an index leads with the field, which is then never null."""
        return bool(self.field.sort)

    def value(self) -> Any:
        """Return the sort expression: the displayed value without case, or a choice's position; NULL if empty."""
        field = self.field
        if self.indexed:
            return F(field.sort)
        if field.type is FieldType.SELECT:
            return Place(orm_value(field), [choice.value for choice in field.choices])
        if field.type in TEXTS:
            return NullIf(Fold(orm_value(field)), Value("", TextField()))
        if field.custom or field.type not in _NAMED:
            return orm_value(field)
        path = field.column()
        if field.type is FieldType.USER:
            return Fold(Coalesce(NullIf(F(f"{path}__user__name"), Value("")), F(f"{path}__user__email")))
        if field.type is FieldType.TEAM:
            return Fold(F(f"{path}__name"))
        target = registry.get(field.target)
        return F(f"{path}__{target.fields[target.title].sort or target.title_path}")

    def ordering(self, backwards: bool) -> list:
        descending = self.descending != backwards
        if self.indexed:
            return ["-sort_value", "-pk"] if descending else ["sort_value", "pk"]
        value = F("sort_value")
        nulls = {"nulls_first": True} if backwards else {"nulls_last": True}
        return [value.desc(**nulls) if descending else value.asc(**nulls), "-pk" if descending else "pk"]


@dataclass(frozen=True)
class Cursor:
    """A position between two rows: the first row's sort value and key, the rows before it, and the direction."""

    value: Any
    pk: int
    place: int
    backwards: bool

    def pack(self, sort: Sort) -> str:
        """Return the cursor for a URL: signed for this sort only, because its value enters a comparison."""
        value = str(self.value) if isinstance(self.value, datetime | date | Decimal) else self.value
        return _signer(sort).sign_object([value, self.pk, self.place, self.backwards])


def parse_cursor(text: str, sort: Sort) -> Cursor | None:
    """Parse a URL's cursor; '' gives None. Raises BadRequest if it was tampered with or is for another sort."""
    if not text:
        return None
    try:
        value, pk, place, backwards = _signer(sort).unsign_object(text)
        return Cursor(_typed(sort.field, value), pk, place, backwards)
    except (BadSignature, ValueError, ArithmeticError):
        raise BadRequest(_("This page link isn’t valid. Open the list again.")) from None


# Why: docs/decisions/0027-signed-cursors.md
def _signer(sort: Sort) -> Signer:
    return Signer(salt=f"crm.lists.rows {sort.field.key} {sort.field.type}")


def _typed(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.type is FieldType.DATETIME:
        return datetime.fromisoformat(value)
    if field.type is FieldType.DATE:
        return date.fromisoformat(value)
    if field.type in NUMBERS:
        return Decimal(value)
    if field.type is FieldType.YES_NO:
        return bool(value)
    is_number = field.type is FieldType.SELECT or (field.custom and field.type in _NAMED)
    return int(value) if is_number else str(value)


@dataclass(frozen=True)
class Page:
    """A page of rows: (primary key, public id, sort value, then the selected columns).

    `total` counts up to CAP + 1; `start` is the first row's place from 1; the cursors lead to the adjacent pages, '' at
    an end.
    """

    found: list[tuple]
    total: int
    start: int
    previous: str
    next: str


def search(rows: QuerySet, text: str, by: Actor, columns: Sequence[str] = ()) -> QuerySet:
    """Filter to rows that contain every word of `text` in name, email, phone or company, ignoring case and accents.

    Phone numbers match in any notation, also in part. The model's SEARCHED lists the `columns`. Of linked records
    hidden from `by` only the name is searched: other values could be guessed letter by letter.
    """
    columns = columns or rows.model.SEARCHED
    for word in [search_key(text)] if _is_number(text) else search_key(text).split():
        match = _holds(columns, word, by)
        for part in sorted(phone_parts(word, workspace().country)) if _is_number(word) else ():
            match |= _holds(columns, part, by)
        rows = rows.filter(match)
    return rows


def _holds(columns: Sequence[str], part: str, by: Actor) -> Q:
    return reduce(or_, (_column_holds(column, part, by) for column in columns))


def _column_holds(column: str, part: str, by: Actor) -> Q:
    link, linked, name = column.rpartition("__")
    holds, is_seen = Q(**{f"{column}__contains": part}), visible(by, f"{link}__")
    if not linked or name == "name_key" or not is_seen:
        return holds
    return (holds & is_seen) | Q(**{f"{link}__name_key__contains": part})


def _is_number(text: str) -> bool:
    return len(digits(text)) > 2 and all(c.isdecimal() or c in " +-()./" for c in text)


def list_page_rows(state: Any, cursor: Cursor | None) -> Page:
    """Return one page of a ListState's rows visible to its member, with their count, in one statement."""
    by, fixed = state.by, replace(cursor, value=None, pk=0) if cursor else None

    def build(member_id: int | None, team_id: int | None, value: Any = None, pk: int = 0) -> QuerySet:
        someone = replace(by, member_id=member_id, team_id=team_id)
        place = replace(fixed, value=value, pk=pk) if fixed else None
        return _query(state.rows(someone), state.columns, state.sort, place, someone)

    values = {"member_id": by.member_id, "team_id": by.team_id}
    values |= {"value": cursor.value, "pk": cursor.pk} if cursor else {}
    backwards = bool(cursor and cursor.backwards)
    found = run_cached((state.key, backwards), build, **values) if state.key else list(build(**values))
    total = min(found[0][0], CAP + 1) if found else 0
    rows = [row[1:] for row in found[:PAGE]]
    return _page(rows[::-1] if backwards else rows, total, len(found) > PAGE, cursor, state.sort)


def _query(rows: QuerySet, columns: list[Column], sort: Sort, cursor: Cursor | None, by: Actor) -> QuerySet:
    total = CountRows(sample_keys(rows, by, CAP + 1))
    ordered = rows.annotate(sort_value=sort.value())
    if cursor:
        ordered = ordered.filter(rows_after_cursor(cursor, sort))
    sources = {alias: expression for column in columns for alias, expression in column.sources.items()}
    chosen = visible_rows_in_order(ordered, by, PAGE + 1, *sort.ordering(bool(cursor and cursor.backwards)))
    return chosen.annotate(**sources).values_list(total, "pk", "public_id", "sort_value", *sources)[: PAGE + 1]


def visible_rows_in_order(rows: QuerySet, by: Actor, most: int, *ordering) -> QuerySet:
    """Return the rows visible to `by` in order; callers read the first `most`.

    An OR over team and owner makes PostgreSQL walk the whole index (26 ms at a million rows with 0.5 % visible); a
    union of branches, each in its index order, takes 0.4 ms. SQLite has no LIMIT inside a UNION.
    """
    if by.is_at_least(Role.MANAGER) or connection.vendor == "sqlite":
        return rows.filter(_seen(rows, by)).order_by(*ordering)
    return rows.filter(pk__in=_union(rows, by, most, ordering)).order_by(*ordering)


def sample_keys(rows: QuerySet, by: Actor, most: int) -> QuerySet:
    """Return keys of rows visible to `by`, for counting: all of them up to `most`, otherwise at least that many."""
    if by.is_at_least(Role.MANAGER) or connection.vendor == "sqlite":
        return rows.filter(_seen(rows, by)).order_by().values("pk")[:most]
    return _union(rows, by, most, ())


def _cases(rows: QuerySet, by: Actor) -> list[Q]:
    """Return the cases in which `by` sees a row: as its queryset says, or by its columns owner and team."""
    return rows.branches(by) if isinstance(rows, RecordQuerySet) else branches(by)


def _seen(rows: QuerySet, by: Actor) -> Q:
    return reduce(or_, _cases(rows, by))


def _union(rows: QuerySet, by: Actor, most: int, ordering: Sequence) -> QuerySet:
    first, *others = (rows.filter(branch).order_by(*ordering).values("pk")[:most] for branch in _cases(rows, by))
    return first.union(*others)


def rows_after_cursor(cursor: Cursor, sort: Sort) -> Q:
    """Return the condition for rows after the cursor, by their annotation sort_value.

    The first term gives the index its range; the rest breaks ties.
    """
    descending = sort.descending != cursor.backwards
    way = "lt" if descending else "gt"
    # SQLite compares a number computed from JSON with a bare decimal, passed as text, as unequal.
    value = Value(cursor.value) if isinstance(cursor.value, Decimal) else cursor.value
    tie = Q(**{"sort_value": value, f"pk__{way}": cursor.pk})
    if cursor.value is None:
        empties = Q(sort_value__isnull=True, **{f"pk__{way}": cursor.pk})
        return empties | Q(sort_value__isnull=False) if cursor.backwards else empties
    after = Q(**{f"sort_value__{way}e": value}) & (Q(**{f"sort_value__{way}": value}) | tie)
    return after if sort.indexed or cursor.backwards else after | Q(sort_value__isnull=True)


def _page(found: list[tuple], total: int, more: bool, cursor: Cursor | None, sort: Sort) -> Page:
    backwards = bool(cursor and cursor.backwards)
    start = _start(cursor, len(found))
    before = (more if backwards else cursor is not None) and bool(found)
    after = (True if backwards else more) and bool(found)
    previous = Cursor(found[0][2], found[0][0], start, True).pack(sort) if before else ""
    following = Cursor(found[-1][2], found[-1][0], start + len(found), False).pack(sort) if after else ""
    return Page(found, total, start + 1, previous, following)


def _start(cursor: Cursor | None, count: int) -> int:
    if cursor is None:
        return 0
    return max(cursor.place - count, 0) if cursor.backwards else cursor.place


def count(rows: QuerySet, by: Actor, *, exact: bool = False) -> int:
    """Return the number of rows visible to `by`, capped at CAP + 1 unless `exact`."""
    if exact:
        return rows.filter(_seen(rows, by)).count()
    return min(sample_keys(rows, by, CAP + 1).count(), CAP + 1)
