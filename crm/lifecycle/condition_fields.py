"""Condition fields on a record's moves, and on snoozing."""

from datetime import timedelta
from typing import cast

from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.text import format_lazy

from crm.entities import registry
from crm.entities.fields import Choice, Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity
from crm.kit import clock
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import in_english, pgettext_lazy
from crm.lifecycle.axes import Axis
from crm.lifecycle.models import Transition, Wait


def moves_of(axis: Axis) -> QuerySet[Transition]:
    """Return the moves along an axis, without undone ones, in the workspace in scope."""
    return Transition.objects.filter(entity=axis.entity, axis=axis.field, undone_by__isnull=True)


def entered() -> ExpressionWrapper:
    """Return when the value left by a move had been entered."""
    spent = Coalesce(F("spent"), Value(timedelta()), output_field=DurationField())
    return ExpressionWrapper(F("at") - spent, output_field=DateTimeField())


def declare_moves(axis: Axis) -> None:
    """Declare the moves along an axis for conditions: `any lifecycle_stage_moves (to = Qualified and moved_at >= …)`.

    Each axis has its own entity of moves, so that “Qualified” is unambiguous. A move out of a value has the value's
    period in `entered` and `moved_at`.
    """
    record = registry.get(axis.entity)
    name, labels = f"{axis.entity}_{axis.field}_move", (_("Stage change"), _("Stage changes"))
    kind = Entity(name, "lifecycle.Transition", *labels, "move", title="verb")  # not a text
    verbs = tuple(Choice(move.verb, move.label, aliases=move.aliases) for move in axis.moves)
    kind.add(
        Field("from", pgettext_lazy("stage", "From"), T.SELECT, path="from_value", choices=axis.values, editable=False),
        Field("to", pgettext_lazy("stage", "To"), T.SELECT, path="to_value", choices=axis.values, editable=False),
        Field("moved_at", _("Changed at"), T.DATETIME, path="at", aliases=("Moved at",), editable=False),  # not a text
        Field("entered", _("Entered"), T.DATETIME, editable=False, expression=entered),
        Field("verb", _("Action"), T.SELECT, choices=verbs, editable=False),
        Field("reason", _("Reason"), T.LONG_TEXT, editable=False),
    )
    registry.register(kind)
    record.add(
        Field(
            f"{axis.field}_moves",
            cast(str, format_lazy(_("{axis} changes"), axis=axis.label)),
            T.MANY,
            aliases=_former_names(axis),
            target=kind.name,
            rows=lambda: moves_of(axis).filter(record_id=OuterRef("pk")),
            editable=False,
        )
    )
    if "waiting" not in record.fields:
        record.add(Field("waiting", _("Snoozed"), T.YES_NO, editable=False, expression=lambda: waits(axis.entity)))
    if axis.since not in record.fields:
        label = cast(str, format_lazy(_("{axis} since"), axis=axis.label))
        record.add(Field(axis.since, label, T.DATETIME, editable=False))


def _former_names(axis: Axis) -> tuple[str, ...]:
    """Names by which conditions knew the changes of an axis before."""
    named = (in_english(axis.label), *axis.aliases)
    return (*(f"{name} moves" for name in named), *(f"{name} changes" for name in axis.aliases))  # not a text


def waits(entity: str) -> Exists:
    """Return whether the outer query's record is snoozed."""
    return Exists(Wait.objects.filter(entity=entity, record_id=OuterRef("pk"), until__gt=clock.now()))
