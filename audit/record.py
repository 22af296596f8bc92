"""record(): the only writer of the audit log and of the outbox."""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models import Case, F, JSONField, Q, Value, When
from django.db.models.functions import NullIf
from django.utils import timezone

from audit import values
from audit.models import Entry
from audit.subjects import subject
from crm.events import bell, reactions
from crm.events.handlers import wanted
from crm.events.models import Event
from crm.events.registry import EventType, event_type
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.sql import JsonPairs, RandomText, WithoutNulls, as_stored, insert_rows, insert_select


class OutsideTransaction(RuntimeError):
    """A change was recorded outside the transaction that makes it."""


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
    """Write an entry and an outbox row for each of `rows`, in two statements however many they are.

    `changes` maps a field to its new value (or expression): call it before the UPDATE, for the old values are read
    from the rows. `snapshot` names the fields to keep of rows just made. Returns how many were recorded.
    Reactions run at once, unless there are `changes` still to be written: change() runs them afterwards.
    Raises OutsideTransaction, and UndeclaredEvent for an event no app declared.
    """
    kind = _checked(event)
    model = rows.model
    about = subject(kind.entity)
    old, new = None, None
    if changes:
        stored = JsonPairs(**{key: (values.model_field(model, key), values.stored(model, key)) for key in changes})
        old, new = (_of_changed_keys(pairs, changes) for pairs in (stored, _new_values(model, changes)))
    elif snapshot:
        new = WithoutNulls(JsonPairs(**{key: _filled(model, key) for key in snapshot}))
    person = F(about.person) if about.person else Value(None, models.BigIntegerField())
    shared = _shared(kind, by) | {"entity_id": F("pk"), "person": person, "old_values": old, "new_values": new}
    insert_select(Event, rows, shared | _event_only(kind))
    count = insert_select(Entry, rows, shared | _entry_only(kind, note, severity) | {"salt": RandomText()})
    if not changes and count:
        reactions.run(event, rows, by)
    return count


class Fact(NamedTuple):
    """What happened to one record: its key, the contact concerned, the values before and after (or their JSON).

    `at`: when, as_stored(), if not now.
    """

    pk: int
    person: int | None
    old: Mapping[str, Any] | str | None
    new: Mapping[str, Any] | str | None
    at: str | None = None


def record_each(event: str, facts: Iterable[Fact], *, by: Actor, note: str = "", severity: str = "") -> None:
    """Write an entry and an outbox row for each fact: for values that differ by row. Old and new values are JSON's.

    Call it after the change: reactions run at once, and show the records as they are now.
    """
    kind = _checked(event)
    shared = _shared(kind, by)
    now = as_stored(shared.pop("at"))
    rows: list[tuple] = []
    names = ("entity_id", "person", "old_values", "new_values", "at")
    insert_rows(Event, names, _rows(facts, now, rows), shared | _event_only(kind))
    salts = secrets.token_hex(16 * len(rows))
    salted = ((*row, salts[32 * n : 32 * n + 32]) for n, row in enumerate(rows))
    insert_rows(Entry, (*names, "salt"), salted, shared | _entry_only(kind, note, severity))
    if rows and reactions.awaited(event):
        made = subject(kind.entity).model._default_manager.filter(pk__any_of=[row[0] for row in rows])
        reactions.run(event, made, by)


def change(
    event: str, rows: models.QuerySet, changes: Mapping[str, Any], *, by: Actor, note: str = "", severity: str = ""
) -> int:
    """Set `changes` on those of `rows` that differ from them, and record it. Returns how many rows changed."""
    differing = rows.filter(_differs(changes)) if changes else rows.none()
    ids = list(differing.values_list("pk", flat=True)) if reactions.awaited(event) else []
    count = record(event, differing, by=by, changes=changes, note=note, severity=severity)
    if count:
        differing.update(**_assignments(rows.model, changes))
    if ids:
        reactions.run(event, rows.model.objects.filter(pk__in=ids), by)
    return count


def _rows(facts: Iterable[Fact], now: str, kept: list[tuple]) -> Iterator[tuple]:
    for fact in facts:
        row = (fact.pk, fact.person, _text(fact.old), _text(fact.new), fact.at or now)
        kept.append(row)
        yield row


def _text(values: Mapping[str, Any] | str | None) -> str | None:
    return values if values is None or isinstance(values, str) else json.dumps(values)


def _checked(event: str) -> EventType:
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"{event} must be recorded in the transaction that makes the change.")
    return event_type(event)


def _shared(kind: EventType, by: Actor) -> dict[str, Any]:
    return {
        "workspace_id": by.workspace_id,
        "member_id": by.member_id,
        "channel": by.channel,
        "change": by.change,
        "at": clock.now(),
        "recorded_at": timezone.now(),
        "entity": kind.entity,
    }


def _event_only(kind: EventType) -> dict[str, Any]:
    waiting = wanted(kind.name)
    if waiting:
        bell.ring_on_commit()
    return {"name": kind.name, "waiting": waiting}


def _entry_only(kind: EventType, note: str, severity: str) -> dict[str, Any]:
    return {
        "event": kind.name,
        "action": kind.action,
        "note": note or None,
        "severity": severity or kind.severity,
        "category": kind.category,
    }


def _new_values(model, changes):
    if not any(hasattr(value, "resolve_expression") for value in changes.values()):
        return Value({key: values.to_json(value) for key, value in changes.items()}, output_field=JSONField())
    return JsonPairs(**{key: _pair(model, key, value) for key, value in changes.items()})


def _pair(model, key, value):
    field = values.model_field(model, key)
    return field, value if hasattr(value, "resolve_expression") else Value(value, output_field=field)


def _filled(model, key):
    field = values.model_field(model, key)
    empties_are_text = isinstance(field, models.CharField | models.TextField | models.FileField)
    return field, NullIf(F(key), Value("")) if empties_are_text else F(key)


def _of_changed_keys(pairs, changes):
    """A row's entry names only what changed in that row: of several values it may have had some already."""
    if len(changes) == 1:
        return pairs
    same = (Case(When(~_key_differs(key, value), then=Value(key))) for key, value in changes.items())
    return values.Less(pairs, *same)


def _differs(changes) -> Q:
    return reduce(or_, (_key_differs(key, value) for key, value in changes.items()))


def _key_differs(key: str, value: Any) -> Q:
    if key.startswith(values.CUSTOM):
        return Q(values.CustomDiffers(key.removeprefix(values.CUSTOM), value))
    return ~Q(**{key: value})


def _assignments(model, changes) -> dict[str, Any]:
    plain = {key: value for key, value in changes.items() if not key.startswith(values.CUSTOM)}
    custom = {key.removeprefix(values.CUSTOM): v for key, v in changes.items() if key.startswith(values.CUSTOM)}
    if custom:
        plain["custom"] = values.Merged(custom)
    if any(field.name == "version" for field in model._meta.fields):
        plain["version"] = F("version") + 1
        plain["updated_at"] = clock.now()
    return plain
