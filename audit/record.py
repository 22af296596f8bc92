"""record(): the only writer of the audit log and the outbox.

Why: docs/decisions/0043-audit-is-called.md
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import Case, F, JSONField, Q, Value, When
from django.db.models.functions import NullIf
from django.utils import timezone

from audit import values
from audit.models import Entry
from audit.subjects import subject
from crm.events import reactions, wakeup
from crm.events.handlers import has_handler
from crm.events.models import Event
from crm.events.registry import EventType, event_type
from crm.kit import clock, compiled_queries, statistics
from crm.kit.actor import Actor
from crm.kit.sql import (
    JsonPairs,
    RandomText,
    RawCondition,
    Statement,
    WithoutNulls,
    as_cte,
    as_stored,
    execute,
    insert_rows,
    insert_statement,
    simple_where,
    update_statement,
)


class OutsideTransaction(RuntimeError):
    """A change was recorded outside its transaction."""


# Why: docs/decisions/0004-set-based-verbs.md
def record(
    event: str,
    rows: models.QuerySet,
    *,
    by: Actor,
    changes: Mapping[str, Any] | None = None,
    snapshot: Iterable[str] = (),
    note: str = "",
    severity: str = "",
) -> int:
    """Write an entry for each of `rows`, and an outbox row if a handler wants it, in one statement each.

    `changes` maps a field to its new value (or expression): call this before the UPDATE, because the old values are
    read from the rows. `snapshot` names the fields to store of new rows. Returns the number of entries. Reactions run
    immediately, unless there are `changes`: update_and_record() then runs them after the UPDATE. Raises
    OutsideTransaction, and UndeclaredEvent for an undeclared event.
    """
    model = rows.model
    try:
        if changes:
            old, new = _old_and_new(model, changes, log_values(model, changes))
            count = execute(as_cte(_entries(event, rows, actor_columns(by), old, new, note, severity)))
        else:
            count = _record_as_they_are(event, rows, tuple(snapshot), note, severity, by)
    except EmptyResultSet:
        return 0
    after_recorded(event, rows if not changes else None, count, by)
    return count


def after_recorded(event: str, rows: models.QuerySet | None, count: int, by: Actor) -> None:
    """Wake the relay if a handler wants the `count` new entries, and update planner statistics.

    Then run the reactions to `event` over `rows`, if any.
    """
    statistics.analyze_if_grown(Entry, count)
    if has_handler(event):
        statistics.analyze_if_grown(Event, count)
        wakeup.wake_on_commit()
    if rows is not None and count:
        reactions.run(event, rows, by)


def _record_as_they_are(
    event: str, rows: models.QuerySet, snapshot: tuple[str, ...], note: str, severity: str, by: Actor
) -> int:
    """Write entries and events of rows without changed values, in cached SQL where possible."""
    model, where, who = rows.model, simple_where(rows), actor_columns(by)
    new = WithoutNulls(JsonPairs(**{key: _filled(model, key) for key in snapshot})) if snapshot else None
    if where is None:
        return execute(as_cte(_entries(event, rows, who, None, new, note, severity)))
    sought = {f"where {index}": param for index, param in enumerate(where.params)}
    values = who | sought | {"note": note or None}
    del values["workspace_id"]

    def build(given: Mapping[str, Any]) -> list[Statement]:
        same = model._default_manager.filter(RawCondition(where.sql, [given[name] for name in sought]))
        columns_given = {name: given.get(name, value) for name, value in who.items()}
        return _entries(event, same, columns_given, None, new, given["note"], severity)

    key = (event, where.sql, snapshot, severity, has_handler(event))
    return compiled_queries.execute_cached(("record", *key), build, values)


def _entries(event: str, rows, who: Mapping[str, Any], old, new, note: Any, severity: str) -> list[Statement]:
    kind = event_type(event)
    about = subject(kind.entity)
    shared = dict(who) | {"entity": kind.entity, "entity_id": F("pk"), "person": about.person_key}
    shared |= {"old_values": old, "new_values": new}
    entry = insert_statement(Entry, rows, shared | _entry_only(kind, note, severity) | {"salt": RandomText()})
    if not has_handler(event):
        return [entry]
    return [insert_statement(Event, rows, shared | {"name": kind.name, "waiting": True}), entry]


class LogRow(NamedTuple):
    """A change of one record: its key, its contact, the values before and after (or their JSON).

    `at`: time in as_stored() format, if not now.
    """

    pk: int
    person: int | None
    old: Mapping[str, Any] | str | None
    new: Mapping[str, Any] | str | None
    at: str | None = None


def record_rows(event: str, facts: Iterable[LogRow], *, by: Actor, note: str = "", severity: str = "") -> None:
    """Run record() with different values per row, given as `facts`. Old and new values are JSON values.

    Call it after the change: reactions run immediately, on those records that still exist, with their current values.
    """
    kind = event_type(event)
    shared = actor_columns(by) | {"entity": kind.entity}
    now = as_stored(shared.pop("at"))
    rows: list[tuple] = []
    names = ("entity_id", "person", "old_values", "new_values", "at")
    salted = ((*row, secrets.token_hex(16)) for row in _rows(facts, now, rows))
    insert_rows(Entry, (*names, "salt"), salted, shared | _entry_only(kind, note, severity))
    if has_handler(event):
        insert_rows(Event, names, rows, shared | {"name": kind.name, "waiting": True})
        wakeup.wake_on_commit()
    there = [pk for pk, _, old, new, _ in rows if new is not None or old is None]  # no new values: deleted
    if there and reactions.awaited(event):
        reactions.run(event, subject(kind.entity).model._default_manager.filter(pk__any_of=there), by)


def update_and_record(
    event: str,
    rows: models.QuerySet,
    changes: Mapping[str, Any],
    *,
    by: Actor,
    note: str = "",
    severity: str = "",
    derive: Callable[[models.QuerySet], None] | None = None,
) -> int:
    """Set `changes` on those of `rows` that differ, and record it. Return the number of changed rows.

    `derive(rows)` sets computed columns before reactions run.
    """
    if not changes:
        return 0
    differing = rows.filter(_differs(changes))
    ids = list(differing.values_list("pk", flat=True)) if reactions.awaited(event) else []
    new = log_values(rows.model, changes)
    try:
        statements = update_statements(
            event, differing, changes, actor_columns(by), new=new, note=note, severity=severity
        )
        count = execute(as_cte(statements))
    except EmptyResultSet:
        return 0
    if derive and count:
        derive(rows)
    after_recorded(event, rows.model._default_manager.filter(pk__any_of=ids) if ids else None, count, by)
    return count


def update_statements(
    event: str,
    rows: models.QuerySet,
    changes: Mapping[str, Any],
    who: Mapping[str, Any],
    *,
    new: Any,
    note: Any = "",
    severity: str = "",
) -> list[Statement]:
    """Return the statements of update_and_record() for `rows` that each differ from `changes`; the last is the UPDATE.

    `who` is actor_columns(), `new` the new values as JSON: both, like the note and the changes, may be Params.
    """
    old, new = _old_and_new(rows.model, changes, new)
    entries = _entries(event, rows, who, old, new, note, severity)
    return [*entries, update_statement(rows, _assignments(rows.model, changes, who["at"]))]


def actor_columns(by: Actor) -> dict[str, Any]:
    """Return actor, channel and time: the columns common to a change's entries, events and transitions.

    Raises OutsideTransaction, and AlreadySubmitted if the actor's form was already submitted.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction("A change must be recorded in the transaction that makes it.")
    if by.once:
        by.once(by.change)
    who = {"workspace_id": by.workspace_id, "member_id": by.member_id, "channel": by.channel, "change": by.change}
    return who | {"at": clock.now(), "recorded_at": timezone.now()}


def log_values(model: type[models.Model], changes: Mapping[str, Any]) -> Any:
    """Return `changes` in log format: a dict, or an expression if any value is one."""
    if not any(hasattr(value, "resolve_expression") for value in changes.values()):
        return {key: values.to_log(value) for key, value in changes.items()}
    return JsonPairs(**{key: _pair(model, key, value) for key, value in changes.items()})


def _rows(facts: Iterable[LogRow], now: str, kept: list[tuple]) -> Iterator[tuple]:
    for fact in facts:
        row = (fact.pk, fact.person, _text(fact.old), _text(fact.new), fact.at or now)
        kept.append(row)
        yield row


def _text(values: Mapping[str, Any] | str | None) -> str | None:
    return values if values is None or isinstance(values, str) else json.dumps(values)


def _entry_only(kind: EventType, note: str, severity: str) -> dict[str, Any]:
    return {
        "event": kind.name,
        "action": kind.action,
        "note": note or None,
        "severity": severity or kind.severity,
        "category": kind.category,
    }


def _pair(model, key, value):
    field = values.model_field(model, key)
    return field, value if hasattr(value, "resolve_expression") else Value(value, output_field=field)


def _filled(model, key):
    field = values.model_field(model, key)
    empties_are_text = isinstance(field, models.CharField | models.TextField | models.FileField)
    return field, NullIf(F(key), Value("")) if empties_are_text else F(key)


def _old_and_new(model, changes, new):
    """Return both as JSON; a row's entry names only values that changed in that row."""
    old = JsonPairs(**{key: (values.model_field(model, key), values.stored(model, key)) for key in changes})
    if len(changes) == 1:
        return old, new
    new = Value(new, JSONField()) if isinstance(new, dict) else new
    same = [Case(When(~_key_differs(key, value), then=Value(key))) for key, value in changes.items()]
    return values.JsonWithout(old, *same), values.JsonWithout(new, *same)


def _differs(changes) -> Q:
    return reduce(or_, (_key_differs(key, value) for key, value in changes.items()))


def _key_differs(key: str, value: Any) -> Q:
    if key.startswith(values.CUSTOM):
        return Q(values.CustomDiffers(key.removeprefix(values.CUSTOM), value))
    return ~Q(**{key: value})


def _assignments(model, changes, now) -> dict[str, Any]:
    plain = {key: value for key, value in changes.items() if not key.startswith(values.CUSTOM)}
    custom = {key.removeprefix(values.CUSTOM): v for key, v in changes.items() if key.startswith(values.CUSTOM)}
    if custom:
        plain["custom"] = values.JsonMerge(custom)
    if any(field.name == "version" for field in model._meta.fields):
        plain["version"] = F("version") + 1
        plain["updated_at"] = now
    return plain
