"""Grouping by a field, with an equivalent condition for each group."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, Min, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Coalesce, Left

from crm.conditions.compile import Context, Viewer, matching
from crm.conditions.tree import Leaf
from crm.conditions.write import quoted
from crm.dashboards.query import DashboardQuery
from crm.entities.fields import TEXTS, Field, FieldType
from crm.entities.people import members, teams
from crm.entities.schema import Path, schema
from crm.entities.sql import orm_value
from crm.entities.text import Fold
from crm.entities.values import zone
from crm.kit.translation import gettext as _

GROUPS = 20  # shown; smaller ones are not comparable
LONGEST = 200  # characters of text that identify a group
# Columns are varchar, custom fields text: an expression of both needs an explicit type.
NOTHING = Value("", TextField())
_LINKED = "contact"
Figures = Callable[[DashboardQuery], Sequence[Any]]


@dataclass(frozen=True)
class GroupBy:
    """A group-by field: its key expression, and the group's text."""

    path: Path
    key: Any
    shown: Any

    @property
    def field(self) -> Field:
        return self.path.field

    def condition(self, key: Any) -> str:
        if key in (None, ""):
            return f"{self.path.key} is empty"  # not a text
        if self.field.type in (FieldType.USER, FieldType.TEAM):
            return f"{self.path.key} = {'member' if self.field.type is FieldType.USER else 'team'}_{key}"
        if self.field.type in TEXTS and len(key) >= LONGEST:
            return f"{self.path.key} starts with {_quoted(key)}"  # not a text
        return f"{self.path.key} = {_quoted(str(key))}"

    def label(self, key: Any, shown: Any, names: "Names") -> str:
        if key in (None, ""):
            return _("Unassigned") if self.field.type is FieldType.USER else _("No value")
        if self.field.type is FieldType.USER:
            return names.people.label(key)
        if self.field.type is FieldType.TEAM:
            return names.teams.label(key)
        return self.field.choice_label(key) if self.field.choices else str(shown or key)


def _quoted(text: str) -> str:
    written = quoted(text)
    return written if written.startswith('"') else f'"{written}"'


class Names:
    """Names of members and teams, loaded if a group needs one."""

    def __init__(self, split: GroupBy):
        self.people: Any = members() if split.field.type is FieldType.USER else None
        self.teams: Any = teams() if split.field.type is FieldType.TEAM else None


def offered(entity: str) -> list[tuple[str, str]]:
    """Return the fields for splitting records, with labels; the contact's behind a dot."""
    own = [(item.key, str(item.label)) for item in schema(entity) if _splits(item)]
    linked = schema(entity).find(_LINKED)
    if linked is None:
        return own
    theirs = [item for item in schema(_LINKED) if item.type is FieldType.SELECT and _splits(item)]
    return own + [(f"{_LINKED}.{item.key}", _("Contact / {field}").format(field=item.label)) for item in theirs]


def _splits(item: Field) -> bool:
    kinds = (FieldType.SELECT, FieldType.TEAM, FieldType.USER)
    is_named = item.key in ("source", "campaign", "country")
    return item.expression is None and (item.type in kinds or is_named) and not (item.custom and item.type in kinds[1:])


def split_by(asked: DashboardQuery, entity: str, key: str) -> GroupBy:
    """Return the split by a field, respecting the actor's view through links. Raises KeyError for unoffered fields."""
    if key not in dict(offered(entity)) and key != "lost_reason":
        raise KeyError(key)
    path = schema(entity).path(key)
    value = _value(asked, path)
    if path.field.type in TEXTS:
        folded = Left(Fold(value), LONGEST)
        return GroupBy(path, folded, Min(value))
    return GroupBy(path, value, Min(value))


def _value(asked: DashboardQuery, path: Path) -> Any:
    """Return the value at the end of the path; '' if empty or hidden from the actor."""
    prefix = "".join(f"{link.column()}__" for link in path.fields[:-1])
    value = orm_value(path.field, prefix)
    if path.field.type in (FieldType.USER, FieldType.TEAM):
        return F(f"{prefix}{path.field.column()}_id")
    if prefix:
        context = Context(Viewer.looking(asked.by), asked.now, zone())
        seen = Q(matching(Leaf(path, "is not empty"), context))  # not a text
        return Case(When(seen, then=value), default=NOTHING, output_field=TextField())
    return Coalesce(value, NOTHING, output_field=TextField()) if path.field.type is FieldType.SELECT else value


def grouped(asked: DashboardQuery, entity: str, key: str, figures: Figures, *also: str) -> list[tuple]:
    """Return the largest groups, by the first of `figures(asked)`, of records that match `also`.

    Each is the group's key, its text, and the figures: aggregates that depend only on the query.
    """

    def build(asked: DashboardQuery) -> QuerySet:
        split = split_by(asked, entity, key)
        named = {f"f{n}": figure for n, figure in enumerate(figures(asked))}
        rows = asked.rows(entity, *also).order_by().annotate(key=split.key).values("key")
        found = rows.annotate(shown=split.shown, **named).order_by("-f0", "key")
        return found.values_list("key", "shown", *named)[:GROUPS]

    return asked.fetch(build, entity, *also, key=(key, figures.__module__, figures.__qualname__))
