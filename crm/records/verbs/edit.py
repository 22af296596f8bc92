"""Edit the fields of records."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from audit import values as audited
from crm.entities.fields import TEXTS
from crm.entities.registry import entity_of
from crm.entities.requirements import stages_with
from crm.entities.schema import schema
from crm.entities.values import normalize_text
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext
from crm.lifecycle.move import force_move
from crm.records.models import Record
from crm.records.registry import RECORD_TYPES
from crm.records.validation import check_values, storage_key, typed
from crm.records.writing import apply
from crm.users.visibility import Locked, RecordQuerySet, lock


@transaction.atomic
def edit(
    records: RecordQuerySet, values: Mapping[str, Any], *, by: Actor, base: Mapping[str, Any] | None = None
) -> Outcome:
    """Set `values` (by field name; text or typed) on records of one type.

    `base` are the values the editor saw: a field changed by another user since is not overwritten. Changes to different
    fields merge; the same field with two new values raises Conflict with both. Refused: values fixed by the type, e.g.
    a suppressed status. Raises Invalid with a message per field.
    """
    entity = entity_of(records.model)
    if base is not None:  # unchanged values are not checked: they may have become invalid
        values = {name: value for name, value in values.items() if name not in base or value != base[name]}
    changes = typed(entity, values, by=by)
    kind = RECORD_TYPES[entity]
    kind.lock_first(changes)
    _lock_linked(records)
    locked = lock(records, by)
    if base is not None and len(locked.ids) == 1:
        changes = _merged(locked, changes, _seen(entity, base, values))
    check_values(entity, changes, by=by)
    _check_name(records, changes)
    kind.check_edit(locked, changes)
    _refuse_missing(locked, entity, changes)
    moves = {axis: changes.pop(axis.field) for axis in kind.axes if axis.field in changes}
    owners: dict[str, Any] = {key: changes.pop(key) for key in ("owner", "team") if key in changes}
    for ids in locked.batches_of_ids():
        rows = records.model.objects.filter(pk__in=ids).order_by("pk")
        locked.outcome.done += ids
        for axis, to in moves.items():
            verb, event = f"set_{axis.field}", f"{entity}.{axis.field}_changed"
            force_move(rows, axis, to, verb=verb, event=event, by=by)
        if changes:
            apply(f"{entity}.updated", rows, kind.complete(rows, changes), by=by)
        if owners:
            apply(f"{entity}.assigned", rows, owners, by=by)
    return locked.outcome


def _check_name(records: RecordQuerySet, changes: Mapping[str, Any]) -> None:
    [key, *others] = records.model.NAMED_BY
    if not others and changes.get(key) == "":
        raise Invalid({key: str(records.model.NAMELESS)})


def _refuse_missing(locked: Locked, entity: str, changes: Mapping[str, Any]) -> None:
    """Refuse to clear a field of records at a stage that requires it."""
    known = schema(entity)
    cleared = {key for key, value in changes.items() if value in ("", None, [])}
    for field in (field for field in known if field.required_from and storage_key(field) in cleared):
        stages = set(stages_with(field, entity))
        needing = [pk for pk, stage in locked.read(known.entity.stage).items() if stage in stages]
        locked.outcome.refuse(needing, gettext("{field} is required at this stage.").format(field=field.label))


def _lock_linked(records: RecordQuerySet) -> None:
    if link := records.model.LOCKED_FIRST:
        linked = records.model._meta.get_field(link).related_model
        rows = linked.objects.filter(pk__in=records.order_by().values(link)).order_by("pk")
        list(rows.select_for_update(of=("self",)).values_list("pk"))


def _seen(entity: str, base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values the editor saw of those to be set, typed if still valid."""
    seen: dict[str, Any] = {}
    for name in base.keys() & values.keys():
        try:
            seen |= typed(entity, {name: base[name]})
        except Invalid:
            if field := schema(entity).find(name):
                seen[storage_key(field)] = base[name]
    return seen


def _merged(locked: Locked, mine: dict, base: dict) -> dict:
    record = locked.model.objects.get(pk=locked.ids[0])
    wanted = {key: value for key, value in mine.items() if key not in base or value != base[key]}
    theirs = {key: _as_shown(record, key) for key in wanted}
    clashes = {k: (wanted[k], theirs[k]) for k in wanted if k in base and theirs[k] not in (base[k], wanted[k])}
    if clashes:
        raise Conflict(clashes)
    return wanted


def _as_shown(record: Record, key: str) -> Any:
    """Return the value as a form returns it: without line breaks that older versions stored."""
    known, value = schema(entity_of(type(record))), audited.read_value(record, key)
    field = known.find(key.removeprefix("custom."))  # not a text
    return normalize_text(field, value) if field and isinstance(value, str) and field.type in TEXTS else value
