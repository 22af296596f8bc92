"""move(): the only writer of an axis."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models import DurationField, ExpressionWrapper, F, Value
from django.utils import timezone
from django.utils.duration import duration_microseconds

from audit import values as audited
from audit.record import Fact, change, record_each
from audit.subjects import subject
from crm.conditions.compile import Viewer
from crm.conditions.condition import failing
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.sql import as_stored, insert_rows, insert_select, update_rows
from crm.lifecycle.axes import Axis, Move, Reason
from crm.lifecycle.guards import rules
from crm.lifecycle.models import Transition
from crm.users.visibility import Locked


def move(
    locked: Locked,
    axis: Axis,
    verb: str,
    *,
    by: Actor,
    to: str = "",
    reason: str = "",
    also: Mapping[str, Any] | None = None,
) -> Outcome:
    """Move the locked rows as `verb` says, each with its transition, entry and event; returns who moved and who not.

    `to` only for a verb that is told where to; `also` are further fields that the move sets. Rows at another value
    than the move starts from, or that a guard holds back, are refused with the sentence. Raises NotAllowed for the
    role, Invalid when a reason is missing.
    """
    step = axis.move(verb)
    _check(step, reason, by)
    for rows in locked.batches():
        _refuse_elsewhere(rows, axis, step, to, locked.outcome)
        _refuse_guarded(locked, rows, axis, verb, by)
    for rows in locked.batches():
        write(
            rows,
            axis,
            step.target or to,
            verb=verb,
            event=step.event,
            by=by,
            reason=reason,
            severity=step.severity,
            also=also,
        )
        locked.outcome.done += rows.values_list("pk", flat=True)
    return locked.outcome


def write(
    rows: models.QuerySet,
    axis: Axis,
    to: str,
    *,
    verb: str,
    event: str,
    by: Actor,
    reason: str = "",
    severity: str = "",
    also: Mapping[str, Any] | None = None,
) -> None:
    """Move `rows` without asking, those that are not there yet: for verbs whose own rule has already decided."""
    now, rows = clock.now(), rows.exclude(**{axis.field: to})
    spent = ExpressionWrapper(Value(now) - F(axis.since), output_field=DurationField())
    _insert(rows, axis, verb, by, reason, from_value=F(axis.field), to_value=to, spent=spent)
    change(event, rows, {axis.field: to, axis.since: now} | dict(also or {}), by=by, note=reason, severity=severity)


class Dated(NamedTuple):
    """A move of one record that happened at a moment of its own; `also` are further fields that it sets."""

    record: Any
    to: str
    at: datetime
    also: Mapping[str, Any]


def write_each(
    axis: Axis, moved: Sequence[Dated], *, verb: str, event: str, by: Actor, reason: str = "", severity: str = ""
) -> None:
    """The twin of write() for imports, whose moves are dated each by itself: a few statements however many records.

    The records (of one model) are locked by the caller, stand somewhere else, and are moved in memory too.
    """
    if not moved:
        return
    model, now = type(moved[0].record), as_stored(timezone.now())
    stays: dict[str, Any] = {
        "entity": axis.entity,
        "axis": axis.field,
        "verb": verb,
        "reason": reason,
        "member_id": by.member_id,
    }
    stays |= {"channel": by.channel, "change": by.change}
    insert_rows(Transition, (*_DATED, "recorded_at"), [(*_transition(axis, each), now) for each in moved], stays)
    facts = [_fact(axis, each, subject(axis.entity).person) for each in moved]
    names = sorted({"version", "updated_at", axis.field, axis.since, *(key for each in moved for key in each.also)})
    update_rows(model, names, [(each.record.pk, *(getattr(each.record, name) for name in names)) for each in moved])
    record_each(event, facts, by=by, note=reason, severity=severity)


_DATED = ("record_id", "from_value", "to_value", "at", "spent")


def _transition(axis: Axis, each: Dated) -> tuple:
    record, spent = each.record, each.at - getattr(each.record, axis.since)
    stored = spent if connection.features.has_native_duration_field else duration_microseconds(spent)
    return record.pk, getattr(record, axis.field), each.to, as_stored(each.at), stored


def _fact(axis: Axis, each: Dated, person: str) -> Fact:
    """What the entry of a move tells; the record is moved on the way."""
    record, changes = each.record, {axis.field: each.to, axis.since: each.at} | dict(each.also)
    changes = {key: value for key, value in changes.items() if audited.read(record, key) != value}
    old, new = ({key: audited.to_json(v) for key, v in some.items()} for some in (_present(record, changes), changes))
    for key, value in changes.items():
        audited.write(record, key, value)
    record.version, record.updated_at = record.version + 1, clock.now()
    return Fact(record.pk, getattr(record, person) if person else None, old, new, as_stored(each.at))


def _present(record: Any, keys: Iterable[str]) -> dict[str, Any]:
    return {key: audited.read(record, key) for key in keys}


def start(rows: models.QuerySet, axis: Axis, verb: str, *, by: Actor) -> None:
    """Write the first transition of rows just made: from nothing to the value they stand at, since when they do."""
    _insert(rows, axis, verb, by, "", from_value="", to_value=F(axis.field), spent=None, at=F(axis.since))


def _insert(rows, axis, verb, by, reason, **values) -> None:
    facts = {"entity": axis.entity, "axis": axis.field, "record_id": F("pk"), "verb": verb, "reason": reason}
    who = {"workspace_id": by.workspace_id, "member_id": by.member_id, "channel": by.channel, "change": by.change}
    when = {"at": clock.now(), "recorded_at": timezone.now()}
    insert_select(Transition, rows, facts | who | when | values)


def _check(step: Move, reason: str, by: Actor) -> None:
    if not by.is_at_least(step.role):
        raise NotAllowed(f"{step.label} needs the role {step.role} or higher; yours is {by.role}.")
    if step.reason == Reason.REQUIRED and not reason.strip():
        raise Invalid({"reason": f"{step.label} needs a reason."})


def _refuse_elsewhere(rows, axis: Axis, step: Move, to: str, outcome: Outcome) -> None:
    for pk, here in rows.values_list("pk", axis.field):
        if here not in step.sources or here == (step.target or to):
            outcome.refuse([pk], elsewhere(axis, step, here, to))


def elsewhere(axis: Axis, step: Move, here: str, to: str = "") -> str:
    """The sentence that refuses a move which does not start at `here`."""
    name = axis.value(here).label
    if here == (step.target or to):
        return f"Already {name}."
    return f"{step.label} is for {axis.names(step.sources)}; this one is {name}."


def _refuse_guarded(locked: Locked, rows, axis: Axis, verb: str, by: Actor) -> None:
    guards = {rule.key: rule for rule in rules(axis.entity) if rule.verb == verb}
    if guards:
        conditions = {key: rule.condition for key, rule in guards.items()}
        held = failing(conditions, rows, Viewer(by.member_id, by.team_id), clock.now())
        for pk, key in held.items():
            locked.outcome.refuse([pk], guards[key].message)
