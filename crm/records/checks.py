"""System checks of record types, for errors that otherwise only a move or a link would reveal."""

from collections.abc import Iterator

from django.core.checks import CheckMessage, Error, register

from audit.values import model_field
from crm.entities.registry import Entity
from crm.events.registry import all_events
from crm.lifecycle.axes import Axis
from crm.records.registry import RECORD_TYPES


@register()
def kinds_of_record(app_configs, **kwargs) -> list[CheckMessage]:
    """E020: an axis without its columns or events. E021: public ids without the entity's prefix."""
    found: list[CheckMessage] = []
    for kind in RECORD_TYPES.values():
        sentences = [sentence for axis in kind.axes for sentence in _wrong(kind.entity, axis)]
        found += [Error(sentence, obj=kind.entity.name, id="crm.E020") for sentence in sentences]
        begins = model_field(kind.model, kind.entity.public_id).get_default().partition("_")[0]
        if begins != kind.entity.prefix:
            sentence = f"Its public ids begin with {begins!r}, the entity says {kind.entity.prefix!r}."  # not a text
            found.append(Error(sentence, obj=kind.entity.name, id="crm.E021"))
    return found


def _wrong(entity: Entity, axis: Axis) -> Iterator[str]:
    columns, declared = {field.name for field in entity.model._meta.fields}, {event.name for event in all_events()}
    for column in (axis.field, axis.since):
        if column not in columns:
            yield f"The model has no field {column!r}, which the axis needs."  # not a text
    for move in axis.moves:
        if move.event not in declared:
            verb, event = move.verb, move.event
            yield f"The move {verb!r} records {event!r}, which no RecordType declares in `events`."  # not a text
