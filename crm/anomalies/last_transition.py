"""Exceptions that are moves past the rules: to be looked at once, by somebody else."""

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
    """The records that `verb` has moved in the last 30 days, unless that was undone."""
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
    """The label of a value of an axis, in the language in use, as an expression over the column that holds it."""
    labels = (When(**{column: choice.value}, then=Value(str(choice.label))) for choice in axis.values)
    return Case(*labels, default=Value(""), output_field=CharField())
