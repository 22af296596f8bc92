"""move(): the only writer of an axis."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Value

from audit.record import (
    actor_columns,
    after_recorded,
    log_values,
    update_and_record,
    update_statements,
)
from crm.conditions.compile import Viewer
from crm.conditions.explain import failing
from crm.events.handlers import has_handler
from crm.kit import compiled_queries, statistics
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.sql import Statement, array_param, insert_select, insert_statement
from crm.kit.translation import gettext, translated
from crm.lifecycle.axes import Axis, Move, Reason, wrong_role_message, wrong_stage_message
from crm.lifecycle.guards import field_rules, rules
from crm.lifecycle.models import Transition
from crm.lifecycle.transitions import columns_when_left
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
    """Move the locked rows by `verb`, each with transition, entry and event; return the outcome.

    `to` only for verbs with a chosen target; `also` are further fields to set. Rows at a value the move does not start
    from, or blocked by a guard, are refused with the message. Raises NotAllowed for the role, Invalid for a missing
    reason.
    """
    step = check_move(locked, axis, verb, by=by, to=to, reason=reason)
    for ids in locked.batches_of_ids():
        _write_move(locked.model, ids, axis, step, step.target or to, by=by, reason=reason, also=also or {})
        locked.outcome.done += ids
    return locked.outcome


def check_move(locked: Locked, axis: Axis, verb: str, *, by: Actor, to: str = "", reason: str = "") -> Move:
    """Refuse rows that may not move; return the move. The first half of move(), for verbs with their own writes."""
    step = axis.by_verb[verb]
    if not by.is_at_least(step.role):
        raise NotAllowed(wrong_role_message(step))
    if step.reason == Reason.REQUIRED and not reason.strip():
        raise Invalid({"reason": gettext("Enter a reason.")})
    _refuse_elsewhere(locked, axis, step, to)
    _refuse_guarded(locked, axis, step, step.target or to, by)
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
    """Move `rows` that are not there yet, without checks: for verbs that have decided by their own rule."""
    rows, who = rows.exclude(**{axis.field: to}), actor_columns(by)
    insert_select(Transition, rows, who | columns_when_left(axis, verb, reason, to, Value(who["at"])))
    changes = {axis.field: to, axis.since: who["at"]} | dict(also or {})
    update_and_record(event, rows, changes, by=by, note=reason, severity=severity)


# Why: docs/decisions/0005-one-statement-per-move.md
def _write_move(
    model, ids: list[int], axis: Axis, step: Move, to: str, *, by: Actor, reason: str, also: Mapping
) -> None:
    """Move locked rows with another value like force_move(), in SQL cached per move."""
    # PostgreSQL keeps a plan for one key, but replans for an array, which took a third of the time.
    lookup, sought = ("pk", ids[0]) if len(ids) == 1 else ("pk__any_of", array_param(ids))
    values = {"sought": sought, "reason": reason, "note": reason or None} | actor_columns(by)
    changes = {axis.field: to, axis.since: values["at"]} | dict(also)
    values |= {"new": log_values(model, changes)} | {f"set {key}": value for key, value in changes.items()}
    where = {"workspace_id": values.pop("workspace_id")}

    def build(given: Mapping[str, Any]) -> list[Statement]:
        rows = model.objects.filter(**{lookup: given["sought"]})
        setting = {key: given[f"set {key}"] for key in changes}
        who = where | {name: given[name] for name in ("member_id", "channel", "change", "at", "recorded_at")}
        left = columns_when_left(axis, step.verb, given["reason"], setting[axis.field], given["at"])
        entry = {"new": given["new"], "note": given["note"], "severity": step.severity}
        return [
            insert_statement(Transition, rows, who | left),
            *update_statements(step.event, rows, setting, who, **entry),
        ]

    key = (by.workspace_id, axis.entity, axis.field, step.verb, lookup, has_handler(step.event))
    compiled_queries.execute_cached(key, build, values)
    statistics.analyze_if_grown(Transition, len(ids))
    after_recorded(step.event, model.objects.filter(pk__any_of=ids), len(ids), by)


def _refuse_elsewhere(locked: Locked, axis: Axis, step: Move, to: str) -> None:
    target, values = step.target or to, locked.read(axis.field)
    for here in set(values.values()):
        starts_here = here in step.sources and here != target
        same_group = starts_here and axis.value(here).group == axis.value(target).group
        if not starts_here or same_group == step.leaves_group:
            ids = (pk for pk, value in values.items() if value == here)
            locked.outcome.refuse(ids, wrong_stage_message(axis, step, here, to))


def _refuse_guarded(locked: Locked, axis: Axis, step: Move, to: str, by: Actor) -> None:
    found = [*(rule for rule in rules(axis.entity) if rule.verb == step.verb), *(field_rules(axis, to) if to else ())]
    guards = {rule.key: rule for rule in found}
    conditions = {key: rule.condition for key, rule in guards.items()}
    for ids in locked.batches_of_ids() if guards else ():
        for pk, key in failing(conditions, locked.model, ids, Viewer(by.member_id, by.team_id)).items():
            locked.outcome.refuse([pk], translated(guards[key].message))
