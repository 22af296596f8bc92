"""The rows of a list: visible ones only, a page at a time by key, with a count that stops at a thousand."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, NullIf

from crm.entities import registry
from crm.entities.fields import NUMBERS, TEXTS, Field, FieldType
from crm.entities.sql import orm_value
from crm.entities.text import Fold
from crm.kit.actor import Actor, Role
from crm.kit.text import digits, fold
from crm.lists.columns import Column, Row, resolve
from crm.users.visibility import branches, visible

_WORDS = TEXTS | {FieldType.SELECT}
PAGE = 50
CAP = 1000


@dataclass(frozen=True)
class Sort:
    """A field to sort by, and whether the largest comes first. Empty values come last either way."""

    field: Field
    descending: bool

    @property
    def indexed(self) -> bool:
        """Whether an index leads with the field, which is then never null."""
        return bool(self.field.sort)

    def value(self) -> Any:
        """What to compare: what the cell shows, without case and accents; NULL for an empty one."""
        field = self.field
        if self.indexed:
            return F(field.sort)
        if field.custom and field.type not in _WORDS:
            return orm_value(field)
        if field.type is FieldType.LINK:
            target = registry.get(field.target)
            return F(f"{field.column()}__{target.fields[target.title].sort or target.title}")
        if field.type is FieldType.USER:
            name, email = (F(f"{field.column()}__user__{part}") for part in ("name", "email"))
            return Fold(Coalesce(NullIf(name, Value("")), email))
        if field.type is FieldType.TEAM:
            return Fold(F(f"{field.column()}__name"))
        return NullIf(Fold(orm_value(field)), Value("", TextField())) if field.type in _WORDS else orm_value(field)

    def ordering(self, backwards: bool) -> list:
        """What to order by; `backwards` for the page before."""
        descending = self.descending != backwards
        if self.indexed:
            return ["-sort_value", "-pk"] if descending else ["sort_value", "pk"]
        value = F("sort_value")
        nulls = {"nulls_first": True} if backwards else {"nulls_last": True}
        return [value.desc(**nulls) if descending else value.asc(**nulls), "-pk" if descending else "pk"]


@dataclass(frozen=True)
class Cursor:
    """A place between two rows: the sort value and key of one, how many stand before, and which way to read."""

    value: Any
    pk: int
    place: int
    backwards: bool

    def pack(self) -> str:
        """The cursor as it stands in a URL."""
        value = str(self.value) if isinstance(self.value, datetime | date | Decimal) else self.value
        return base64.urlsafe_b64encode(json.dumps([value, self.pk, self.place, self.backwards]).encode()).decode()


def unpack(text: str, sort: Sort) -> Cursor | None:
    """The cursor of a URL; None for none, and for one that was tampered with."""
    try:
        value, pk, place, backwards = json.loads(base64.urlsafe_b64decode(text or ""))
        return Cursor(_typed(sort.field, value), int(pk), int(place), bool(backwards))
    except (ValueError, TypeError, ArithmeticError, binascii.Error):
        return None


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
    return int(value) if field.custom and field.type in (FieldType.USER, FieldType.LINK) else str(value)


@dataclass(frozen=True)
class Page:
    """Some rows of a list, the place of the first, and the cursors around them ('' at an end)."""

    rows: list[Row]
    start: int
    previous: str
    next: str


def search(rows: QuerySet, text: str) -> QuerySet:
    """Rows in which every word of `text` occurs: in name, e-mail, phone or company, without case and accents.

    A phone number is found by its digits, however it is grouped.
    """
    if _is_number(text):
        return rows.filter(Q(search_text__contains=digits(text)) | Q(search_text__contains=fold(text)))
    for word in fold(text).split():
        match = Q(search_text__contains=word)
        if _is_number(word):
            match |= Q(search_text__contains=digits(word))
        rows = rows.filter(match)
    return rows


def _is_number(text: str) -> bool:
    return len(digits(text)) > 2 and all(c.isdecimal() or c in " +-()./" for c in text)


def page(rows: QuerySet, columns: list[Column], sort: Sort, cursor: Cursor | None, by: Actor) -> Page:
    """One page of the rows that `by` may see, in one statement."""
    ordered = rows.annotate(sort_value=sort.value())
    backwards = bool(cursor and cursor.backwards)
    if cursor:
        ordered = ordered.filter(_beyond(cursor, sort))
    ordering = sort.ordering(backwards)
    chosen = some(ordered, by, PAGE + 1, *ordering)
    sources = {alias: expression for column in columns for alias, expression in column.sources.items()}
    found = list(chosen.annotate(**sources).values_list("pk", "public_id", "sort_value", *sources)[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    return _page(found[::-1] if backwards else found, more, cursor, backwards, columns)


def some(rows: QuerySet, by: Actor, most: int, *ordering) -> QuerySet:
    """At least the first `most` of the rows that `by` sees, in order where one is given.

    An OR over team and owner makes PostgreSQL walk the whole index (26 ms at a million rows where 0.5 % are visible);
    a union of branches, each in the order of its own index, takes 0.4 ms. SQLite has no LIMIT inside a UNION.
    """
    if by.is_at_least(Role.MANAGER) or connection.vendor == "sqlite":
        return rows.filter(visible(by)).order_by(*ordering)
    first, *others = (rows.filter(branch).order_by(*ordering).values("pk")[:most] for branch in branches(by))
    return rows.filter(pk__in=first.union(*others)).order_by(*ordering)


def _beyond(cursor: Cursor, sort: Sort) -> Q:
    """Rows after the cursor. The first term gives the index its range; the rest settles ties."""
    descending = sort.descending != cursor.backwards
    way = "lt" if descending else "gt"
    # SQLite compares a number computed from JSON with a bare decimal, which it is given as text, as unequal.
    value = Value(cursor.value) if isinstance(cursor.value, Decimal) else cursor.value
    tie = Q(**{"sort_value": value, f"pk__{way}": cursor.pk})
    if cursor.value is None:
        empties = Q(sort_value__isnull=True, **{f"pk__{way}": cursor.pk})
        return empties | Q(sort_value__isnull=False) if cursor.backwards else empties
    beyond = Q(**{f"sort_value__{way}e": value}) & (Q(**{f"sort_value__{way}": value}) | tie)
    return beyond if sort.indexed or cursor.backwards else beyond | Q(sort_value__isnull=True)


def _page(found: list, more: bool, cursor: Cursor | None, backwards: bool, columns: list[Column]) -> Page:
    start = _start(cursor, len(found))
    before = (more if backwards else cursor is not None) and bool(found)
    after = (True if backwards else more) and bool(found)
    previous = Cursor(found[0][2], found[0][0], start, True).pack() if before else ""
    following = Cursor(found[-1][2], found[-1][0], start + len(found), False).pack() if after else ""
    return Page(_rows(found, columns), start + 1, previous, following)


def _start(cursor: Cursor | None, count: int) -> int:
    if cursor is None:
        return 0
    return max(cursor.place - count, 0) if cursor.backwards else cursor.place


def _rows(found: list, columns: list[Column]) -> list[Row]:
    split = [[*_split(row[3:], columns)] for row in found]
    resolve(columns, split)
    classes = [column.css(place) for place, column in enumerate(columns)]
    return [_row(row, parts, columns, classes) for row, parts in zip(found, split, strict=True)]


def _row(row: tuple, parts: list, columns: list[Column], classes: list[str]) -> Row:
    cells = [column.cell(part, row[1]) for column, part in zip(columns, parts, strict=True)]
    return Row(row[0], row[1], str(parts[0][0]), list(zip(classes, cells, strict=True)))


def _split(values: tuple, columns: list[Column]):
    place = 0
    for column in columns:
        yield list(values[place : place + len(column.sources)])
        place += len(column.sources)


def count(rows: QuerySet, by: Actor, *, exact: bool = False) -> int:
    """How many of the rows `by` sees; stops at CAP + 1 unless `exact`."""
    if exact:
        return rows.filter(visible(by)).count()
    return some(rows, by, CAP + 1)[: CAP + 1].count()
