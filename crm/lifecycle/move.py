"""move(): the only writer of an axis."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models import DurationField, ExpressionWrapper, F, Value
from django.utils import timezone
from django.utils.duration import duration_microseconds

from audit import values as audited
from audit.record import (
    LogRow,
    actor_columns,
    after_recorded,
    count_written,
    log_values,
    record_rows,
    update_and_record,
    update_statements,
)
from audit.subjects import subject
from crm.conditions.compile import Viewer
from crm.conditions.condition import failing
from crm.events.handlers import wanted
from crm.kit import clock, compiled_queries, statistics
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.sql import Statement, array_param, as_stored, insert_rows, insert_select, insert_statement, update_rows
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
    step = check_move(locked, axis, verb, by=by, to=to, reason=reason)
    for ids in locked.batches_of_ids():
        _write_move(locked.model, ids, axis, step, step.target or to, by=by, reason=reason, also=also or {})
        locked.outcome.done += ids
    return locked.outcome


def check_move(locked: Locked, axis: Axis, verb: str, *, by: Actor, to: str = "", reason: str = "") -> Move:
    """The first half of move(), for verbs that write in their own way: refuse those that may not move; the move."""
    step = axis.move(verb)
    _check(step, reason, by)
    _refuse_elsewhere(locked, axis, step, to)
    _refuse_guarded(locked, axis, verb, by)
    return step


def force_move(
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
    rows, who = rows.exclude(**{axis.field: to}), actor_columns(by)
    insert_select(Transition, rows, who | _left(axis, verb, reason, to, Value(who["at"])))
    changes = {axis.field: to, axis.since: who["at"]} | dict(also or {})
    update_and_record(event, rows, changes, by=by, note=reason, severity=severity)


# Why: docs/decisions/0005-one-statement-per-move.md
def _write_move(
    model, ids: list[int], axis: Axis, step: Move, to: str, *, by: Actor, reason: str, also: Mapping
) -> None:
    """force_move() for rows that are locked and stand somewhere else, in SQL that is compiled once for each move."""
    # PostgreSQL plans for one key once for all; for an array anew each time, which took a third of the whole.
    lookup, sought = ("pk", ids[0]) if len(ids) == 1 else ("pk__any_of", array_param(ids))
    values = {"sought": sought, "reason": reason, "note": reason or None} | actor_columns(by)
    changes = {axis.field: to, axis.since: values["at"]} | dict(also)
    values |= {"new": log_values(model, changes)} | {f"set {key}": value for key, value in changes.items()}
    where = {"workspace_id": values.pop("workspace_id")}

    def build(given: Mapping[str, Any]) -> list[Statement]:
        rows = model.objects.filter(**{lookup: given["sought"]})
        setting = {key: given[f"set {key}"] for key in changes}
        who = where | {name: given[name] for name in ("member_id", "channel", "change", "at", "recorded_at")}
        left = _left(axis, step.verb, given["reason"], setting[axis.field], given["at"])
        entry = {"new": given["new"], "note": given["note"], "severity": step.severity}
        return [
            insert_statement(Transition, rows, who | left),
            *update_statements(step.event, rows, setting, who, **entry),
        ]

    key = (by.workspace_id, axis.entity, axis.field, step.verb, lookup, wanted(step.event))
    compiled_queries.execute_cached(key, build, values)
    statistics.wrote(Transition, len(ids))
    count_written(step.event, len(ids))
    after_recorded(step.event, model, ids, by)


def _left(axis: Axis, verb: str, reason: Any, to: Any, now: Any) -> dict[str, Any]:
    """The columns of the transitions of rows that leave where they stand."""
    spent = ExpressionWrapper(now - F(axis.since), output_field=DurationField())
    return _facts(axis, verb, reason) | {"from_value": F(axis.field), "to_value": to, "spent": spent}


class DatedMove(NamedTuple):
    """A move of one record that happened at a moment of its own; `also` are further fields that it sets."""

    record: Any
    to: str
    at: datetime
    also: Mapping[str, Any]


def move_rows(
    axis: Axis, moved: Sequence[DatedMove], *, verb: str, event: str, by: Actor, reason: str = "", severity: str = ""
) -> None:
    """The twin of force_move() for imports, whose moves have dates of their own: a few statements for any number.

    The records (of one model) are locked by the caller, stand somewhere else, and are moved in memory too.
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
    """Write the transitions alone, for a second axis that one entry moves together with the first.

    Before move_rows() for the first, whose `also` holds the values of this one.
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
    """What the entry of a move tells; the record is moved on the way."""
    record, changes = each.record, {axis.field: each.to, axis.since: each.at} | dict(each.also)
    changes = {key: value for key, value in changes.items() if audited.read_value(record, key) != value}
    old, new = ({key: audited.to_log(v) for key, v in some.items()} for some in (_present(record, changes), changes))
    for key, value in changes.items():
        audited.write(record, key, value)
    record.version, record.updated_at = record.version + 1, clock.now()
    return LogRow(record.pk, getattr(record, person) if person else None, old, new, as_stored(each.at))


def _present(record: Any, keys: Iterable[str]) -> dict[str, Any]:
    return {key: audited.read_value(record, key) for key in keys}


def write_first_transition(model: type[Any], ids: Iterable[int], axis: Axis, verb: str, *, by: Actor) -> None:
    """Write the first transition of rows just made: from nothing to the value they stand at, since when they do.

    In SQL that is compiled once: an import starts four axes for every few rows.
    """
    entered = {"from_value": "", "to_value": F(axis.field), "spent": None, "at": F(axis.since)}
    facts = _facts(axis, verb, "") | entered | {"workspace_id": by.workspace_id}

    def build(given: Mapping[str, Any]) -> list[Statement]:
        actor = {name: given[name] for name in ("member_id", "channel", "change", "recorded_at")}
        return [insert_statement(Transition, model.objects.filter(pk__any_of=given["sought"]), facts | actor)]

    values = {"sought": array_param(ids)} | actor_columns(by)
    statistics.wrote(
        Transition, compiled_queries.execute_cached(("start", axis.entity, axis.field, verb), build, values)
    )


def _facts(axis: Axis, verb: str, reason: Any) -> dict[str, Any]:
    return {"entity": axis.entity, "axis": axis.field, "record_id": F("pk"), "verb": verb, "reason": reason}


def _check(step: Move, reason: str, by: Actor) -> None:
    if not by.is_at_least(step.role):
        raise NotAllowed(f"{step.label} needs the role {step.role} or higher; yours is {by.role}.")
    if step.reason == Reason.REQUIRED and not reason.strip():
        raise Invalid({"reason": f"{step.label} needs a reason."})


def _refuse_elsewhere(locked: Locked, axis: Axis, step: Move, to: str) -> None:
    for pk, here in locked.read(axis.field).items():
        if here not in step.sources or here == (step.target or to):
            locked.outcome.refuse([pk], wrong_stage_message(axis, step, here, to))


def wrong_stage_message(axis: Axis, step: Move, here: str, to: str = "") -> str:
    """The sentence that refuses a move which does not start at `here`."""
    name = axis.value(here).label
    if here == (step.target or to):
        return f"Already {name}."
    return f"{step.label} is for {axis.names(step.sources)}; this one is {name}."


def _refuse_guarded(locked: Locked, axis: Axis, verb: str, by: Actor) -> None:
    guards = {rule.key: rule for rule in rules(axis.entity) if rule.verb == verb}
    conditions = {key: rule.condition for key, rule in guards.items()}
    for rows in locked.batches() if guards else ():
        held = failing(conditions, rows, Viewer(by.member_id, by.team_id), clock.now())
        for pk, key in held.items():
            locked.outcome.refuse([pk], guards[key].message)
