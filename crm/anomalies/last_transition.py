"""Exceptions for moves that bypass the rules, to be reviewed once by another member."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Concat

from crm.entities import registry
from crm.kit import clock
from crm.lifecycle.axes import Axis
from crm.lifecycle.models import Transition

REMEMBERED = timedelta(days=30)


def _of(axis: Axis, verb: str) -> QuerySet[Transition]:
    moves = Transition.objects.filter(entity=axis.entity, axis=axis.field, verb=verb, undone_by__isnull=True)
    return moves.filter(at__gt=clock.now() - REMEMBERED)


def moved(axis: Axis, verb: str) -> Callable[[], QuerySet]:
    """Return a query for records moved by `verb` in the last 30 days, unless undone."""
    return lambda: registry.get(axis.entity).model.objects.live().filter(pk__in=_of(axis, verb).values("record_id"))


def _last(axis: Axis, verb: str, value: Any) -> Subquery:
    latest = _of(axis, verb).filter(record_id=OuterRef("pk")).order_by("-at", "-pk")
    return Subquery(latest.values(value=value)[:1])


def moved_at(axis: Axis, verb: str) -> Callable[[], Subquery]:
    return lambda: _last(axis, verb, F("at"))


def moved_how(axis: Axis, verb: str) -> Callable[[], Subquery]:
    def words() -> Concat:
        parts = (label(axis, "from_value"), Value(" → "), label(axis, "to_value"), Value(": "), F("reason"))
        return Concat(*parts, output_field=TextField())

    return lambda: _last(axis, verb, words())


def label(axis: Axis, column: str) -> Case:
    """Return the label of an axis value in the active language, as an expression over its column."""
    labels = (When(**{column: choice.value}, then=Value(str(choice.label))) for choice in axis.values)
    return Case(*labels, default=Value(""), output_field=CharField())
