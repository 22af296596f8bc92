"""record(): the only writer of the audit log and of the outbox."""

import secrets
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection, models
from django.db.models import Case, F, JSONField, Q, Value, When
from django.db.models.functions import NullIf
from django.utils import timezone

from audit import values
from audit.models import Entry
from audit.subjects import subject
from crm.events import reactions
from crm.events.models import Event
from crm.events.registry import EventType, event_type
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.sql import JsonPairs, RandomText, WithoutNulls, insert_select


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
    insert_select(Event, rows, shared | {"name": kind.name})
    count = insert_select(Entry, rows, shared | _entry_only(kind, note, severity) | {"salt": RandomText()})
    if not changes and count:
        reactions.run(event, rows, by)
    return count


def record_each(event: str, rows: Iterable[tuple], *, by: Actor, note: str = "", severity: str = "") -> None:
    """Write an entry and an outbox row for each (id, person, old values, new values): for values that differ by row."""
    kind = _checked(event)
    shared, own = _shared(kind, by), _entry_only(kind, note, severity)
    facts = [
        {"entity_id": pk, "person": person, "old_values": old, "new_values": new, **shared}
        for pk, person, old, new in rows
    ]
    Event.objects.bulk_create([Event(**fact, name=event) for fact in facts], batch_size=500)
    Entry.objects.bulk_create([Entry(**fact, **own, salt=secrets.token_hex(16)) for fact in facts], batch_size=500)


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
