"""Writing of validated values: new records, one change to many, or a change each."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction

from audit import values as audited
from audit.record import LogRow, record_rows, update_and_record
from audit.record import record as log
from audit.subjects import subject
from crm.entities import registry
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.sql import update_rows
from crm.lifecycle.axes import axes_of
from crm.lifecycle.transitions import write_first_transition
from crm.records.duplicates import duplicate_error
from crm.records.models import Record, derive

R = TypeVar("R", bound=Record)


def columns(model: type[Record]) -> list[str]:
    return [f.name for f in model._meta.concrete_fields if f.editable and f.name not in ("id", "workspace")]


def snapshot_fields(model: type[Record]) -> list[str]:
    """Return the fields stored in the entry of a new record: editable ones, axis values, and what follows from them."""
    return [*columns(model), *(axis.field for axis in axes_of(registry.entity_of(model))), *model.ALSO_LOGGED]


def build(model: type[R], values: Mapping[str, Any], by: Actor) -> R:
    """Return an unsaved record of validated values, owned by its creator by default."""
    record = model(workspace_id=by.workspace_id, owner_id=by.member_id)
    record.begin(clock.now())
    assign(record, values)
    record.derive()
    return record


def insert_records(
    records: Sequence[Record], event: str, *, by: Actor, verb: str = "create", note: str = ""
) -> list[int]:
    """Save new records of one model, each with first transitions and entry; return their keys.

    Raises IntegrityError, saving nothing, if a unique value is taken.
    """
    if not records:
        return []
    model = type(records[0])
    with transaction.atomic():
        model.objects.bulk_create(records)
        model.derived(records, model.MADE_OF)
    ids = [record.pk for record in records]
    for axis in axes_of(registry.entity_of(model)):
        write_first_transition(model, ids, axis, verb, by=by)
    log(event, model.objects.filter(pk__any_of=ids), by=by, snapshot=snapshot_fields(model), note=note)
    return ids


def assign(record: Record, values: Mapping[str, Any]) -> None:
    """Set validated values on a record in memory."""
    for key, value in values.items():
        if key.startswith("custom."):  # not a text
            record.custom[key.removeprefix("custom.")] = value  # not a text
        elif isinstance(value, models.Model):
            setattr(record, key, value)
        else:
            setattr(record, audited.model_field(type(record), key).attname, value)


def apply(event: str, rows: models.QuerySet, changes: Mapping[str, Any], *, by: Actor, note: str = "") -> int:
    """Write validated changes, what follows and derives from them, to rows locked by the caller; return how many.

    Raises AlreadyTaken if another record has the email, domain or external ID.
    """
    try:
        with transaction.atomic():
            found = {**changes, **rows.model.consequences(rows, dict(changes))}
            made_of = partial(derive, changed=found.keys()) if rows.model.MADE_OF & changes.keys() else None
            return update_and_record(event, rows, found, by=by, note=note, derive=made_of)
    except IntegrityError as error:
        raise (duplicate_error(rows.model, [changes], by, but=rows) or error) from None


def apply_each(changed: Sequence[tuple[Record, Mapping[str, Any]]], *, by: Actor) -> None:
    """Write individual changes to records of one model, locked by the caller, each with its entry.

    Like apply(), for imports: a few statements for any number. Raises IntegrityError if another record has an email or
    external id.
    """
    if not changed:
        return
    model = type(changed[0][0])
    entity = registry.entity_of(model)
    facts = {f"{entity}.updated": _facts(entity, changed, False), f"{entity}.assigned": _facts(entity, changed, True)}
    names = {"version", "updated_at"}
    for record, changes in changed:
        assign(record, changes)
        record.version, record.updated_at = record.version + 1, clock.now()
        names |= {audited.model_field(model, key).attname for key in changes}.union(record.derive())
    columns = sorted(names)
    update_rows(model, columns, [(r.pk, *(_column(r, name) for name in columns)) for r, _ in changed])
    model.derived([record for record, _ in changed], names)
    for event, told in facts.items():
        if told:
            record_rows(event, told, by=by)


def _facts(entity: str, changed: Sequence[tuple[Record, Mapping[str, Any]]], assigning: bool) -> list[LogRow]:
    facts, person = [], subject(entity).person
    for record, changes in changed:
        keys = [key for key in changes if (key in ("owner", "team")) is assigning]
        if keys:
            old = {key: audited.to_log(audited.read_value(record, key)) for key in keys}
            new = {key: audited.to_log(changes[key]) for key in keys}
            facts.append(LogRow(record.pk, getattr(record, person) if person else None, old, new))
    return facts


def _column(record: Record, name: str) -> Any:
    value = getattr(record, name)
    return json.dumps(value) if isinstance(value, dict | list) else value
