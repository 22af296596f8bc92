"""Moves with their own dates: imported ones, and their consequences."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone
from django.utils.duration import duration_microseconds

from audit import values as audited
from audit.record import LogRow, record_rows
from audit.subjects import subject
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.sql import as_stored, insert_rows, update_rows
from crm.lifecycle.axes import Axis
from crm.lifecycle.models import Transition


class DatedMove(NamedTuple):
    """A move of one record with its own date; `also` are further fields it sets."""

    record: Any
    to: str
    at: datetime
    also: Mapping[str, Any]


def move_rows(
    axis: Axis, moved: Sequence[DatedMove], *, verb: str, event: str, by: Actor, reason: str = "", severity: str = ""
) -> None:
    """Move records with individual dates, like force_move(), in a few statements for any number.

    The records (of one model) are locked by the caller, have another value, and are also moved in memory.
    """
    if not moved:
        return
    write_transitions(axis, moved, verb=verb, by=by, reason=reason)
    model = type(moved[0].record)
    facts = [_fact(axis, each, subject(axis.entity).person) for each in moved]
    also = (audited.model_field(model, key).attname for each in moved for key in each.also)
    names = sorted({"version", "updated_at", axis.field, axis.since, *also})
    update_rows(model, names, [(each.record.pk, *(getattr(each.record, name) for name in names)) for each in moved])
    record_rows(event, facts, by=by, note=reason, severity=severity)


def write_transitions(axis: Axis, moved: Sequence[DatedMove], *, verb: str, by: Actor, reason: str = "") -> None:
    """Write only the transitions, for a second axis moved by the same entry.

    Call it before move_rows() for the first axis, whose `also` holds this one's values.
    """
    now = as_stored(timezone.now())
    stays: dict[str, Any] = {"entity": axis.entity, "axis": axis.field, "verb": verb, "reason": reason}
    stays |= {"member_id": by.member_id, "channel": by.channel, "change": by.change, "recorded_at": now}
    insert_rows(Transition, _DATED, [_transition(axis, each) for each in moved], stays)


_DATED = ("record_id", "from_value", "to_value", "at", "spent")


def _transition(axis: Axis, each: DatedMove) -> tuple:
    record, spent = each.record, each.at - getattr(each.record, axis.since)
    stored = spent if connection.features.has_native_duration_field else duration_microseconds(spent)
    return record.pk, getattr(record, axis.field), each.to, as_stored(each.at), stored


def _fact(axis: Axis, each: DatedMove, person: str) -> LogRow:
    """Move the record in memory; return its log row."""
    record, changes = each.record, {axis.field: each.to, axis.since: each.at} | dict(each.also)
    changes = {key: value for key, value in changes.items() if audited.read_value(record, key) != value}
    old, new = ({key: audited.to_log(v) for key, v in some.items()} for some in (_present(record, changes), changes))
    for key, value in changes.items():
        audited.write(record, key, value)
    record.version, record.updated_at = record.version + 1, clock.now()
    return LogRow(record.pk, getattr(record, person) if person else None, old, new, as_stored(each.at))


def _present(record: Any, keys: Iterable[str]) -> dict[str, Any]:
    return {key: audited.read_value(record, key) for key in keys}
