"""What conditions may ask about how a record has moved, and whether it waits."""

from datetime import timedelta

from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce

from crm.entities import registry
from crm.entities.fields import Choice, Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity
from crm.kit import clock
from crm.lifecycle.axes import Axis
from crm.lifecycle.models import Transition, Wait


def moves_of(axis: Axis) -> QuerySet[Transition]:
    """The moves along an axis that count, in the workspace in scope."""
    return Transition.objects.filter(entity=axis.entity, axis=axis.field, undone_by__isnull=True)


def entered() -> ExpressionWrapper:
    """Since when the value had stood that a move left."""
    spent = Coalesce(F("spent"), Value(timedelta()), output_field=DurationField())
    return ExpressionWrapper(F("at") - spent, output_field=DateTimeField())


def declare_moves(axis: Axis) -> None:
    """Let conditions ask for the moves along an axis: `any lifecycle_stage_moves (to = Qualified and moved_at >= …)`.

    Each axis has its own kind of move, so that “Qualified” is never that of another. A move out of a value says with
    `entered` and `moved_at` from when to when the record had stood there.
    """
    record = registry.get(axis.entity)
    kind = Entity(f"{axis.entity}_{axis.field}_move", "lifecycle.Transition", "Move", "Moves", "move", title="verb")
    verbs = tuple(Choice(move.verb, move.label, aliases=move.aliases) for move in axis.moves)
    kind.add(
        Field("from", "From", T.SELECT, path="from_value", choices=axis.values, editable=False),
        Field("to", "To", T.SELECT, path="to_value", choices=axis.values, editable=False),
        Field("moved_at", "Moved at", T.DATETIME, path="at", editable=False),
        Field("entered", "Entered", T.DATETIME, editable=False, expression=entered),
        Field("verb", "Verb", T.SELECT, choices=verbs, editable=False),
        Field("reason", "Reason", T.LONG_TEXT, editable=False),
    )
    registry.register(kind)
    record.add(
        Field(
            f"{axis.field}_moves",
            f"{axis.label} moves",
            T.MANY,
            target=kind.name,
            rows=lambda: moves_of(axis).filter(record_id=OuterRef("pk")),
            editable=False,
        )
    )
    if "waiting" not in record.fields:
        record.add(Field("waiting", "Waiting", T.YES_NO, editable=False, expression=lambda: waits(axis.entity)))
    if axis.since not in record.fields:
        label = f"{axis.label} since"
        record.add(Field(axis.since, label, T.DATETIME, editable=False))


def waits(entity: str) -> Exists:
    """Whether somebody lets the record of the outer query wait."""
    return Exists(Wait.objects.filter(entity=entity, record_id=OuterRef("pk"), until__gt=clock.now()))
