"""Change the fields of contacts, companies and other records."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Concat, Left, Trim
from django.db.models.lookups import Exact

from audit import values as audited
from contacts.axes import STATUS
from contacts.fields import NAMELESS, NOBODY, apply, check, storage_key, typed
from contacts.hierarchy import refuse_circles
from contacts.models import Contact, Record
from contacts.suppression import held_status
from crm.entities.fields import TEXTS
from crm.entities.registry import entity_of
from crm.entities.schema import schema
from crm.entities.values import cleaned
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.outcome import Outcome
from crm.lifecycle.move import force_move
from crm.users.visibility import Locked, RecordQuerySet, lock


@transaction.atomic
def edit(
    records: RecordQuerySet, values: Mapping[str, Any], *, by: Actor, base: Mapping[str, Any] | None = None
) -> Outcome:
    """Set `values` (by field name; text or typed) on records of one kind.

    `base` are the values that the editor saw: a field that somebody else changed since then is not overwritten.
    Changes to different fields merge; the same field changed to two values raises Conflict with both.
    Refused: a contact whose status a suppression holds. Raises Invalid with a sentence per field.
    """
    entity = entity_of(records.model)
    if base is not None:  # what the editor left alone is not checked: it may be valid no longer
        values = {name: value for name, value in values.items() if name not in base or value != base[name]}
    changes = typed(entity, values, by=by)
    _hold_contacts(records)
    locked = lock(records, by)
    if base is not None and len(locked.ids) == 1:
        changes = _merged(locked, changes, _seen(entity, base, values))
    check(entity, changes, by=by)
    if "manager" in changes:
        refuse_circles(locked.ids, changes["manager"])
    if entity != "contact" and changes.get("name") == "":
        raise Invalid({"name": NAMELESS})
    status = changes.pop("status", None) if entity == "contact" else None
    owners: dict[str, Any] = {key: changes.pop(key) for key in ("owner", "team") if key in changes}
    _refuse_held(locked, status)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        if status:
            force_move(rows, STATUS, status, verb="set_status", event="contact.status_changed", by=by)
        if changes:
            apply(f"{entity}.updated", rows, _with_name(rows, changes), by=by)
        if owners:
            apply(f"{entity}.assigned", rows, owners, by=by)
    return locked.outcome


def _refuse_held(locked: Locked, status: str | None) -> None:
    for rows in locked.batches() if status else ():
        locked.outcome.refused |= held_status(rows, status or "")


def _hold_contacts(records: RecordQuerySet) -> None:
    """Lock the contacts that the edit may change too, before their records, as every verb does."""
    if link := records.model.HELD_FIRST:
        contacts = Contact.objects.filter(pk__in=records.order_by().values(link)).order_by("pk")
        list(contacts.select_for_update(of=("self",)).values_list("pk"))


def _seen(entity: str, base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the editor saw of those to be set, typed where the field still takes them."""
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
    """The value as a form gives it back: what was stored with line breaks before has none there."""
    value, field = audited.read(record, key), schema(entity_of(type(record))).find(key.removeprefix("custom."))
    return cleaned(field, value) if field and isinstance(value, str) and field.type in TEXTS else value


def _with_name(rows: QuerySet, changes: dict) -> dict:
    """The full name follows the first and last names for as long as it was made of them, and an empty one is made.

    Raises Invalid when there is nothing to make one of.
    """
    if rows.model is not Contact or not {"name", "first_name", "last_name"} & changes.keys() or changes.get("name"):
        return changes
    first, last, email = (_new(changes, key) for key in ("first_name", "last_name", "email"))
    made = _joined(first, last)
    if "name" not in changes:
        follows = Q(name=_joined(F("first_name"), F("last_name"))) & ~Q(Exact(made, Value("")))
        return changes | {"name": Case(When(follows, then=made), default=F("name"))}
    name = Case(When(~Q(Exact(made, Value(""))), then=made), default=email)
    if rows.filter(Exact(name, Value(""))).exists():
        raise Invalid({"name": NOBODY})
    return changes | {"name": name}


def _new(changes: dict, key: str) -> Any:
    return Value(changes[key]) if key in changes else F(key)


def _joined(first: Any, last: Any) -> Any:
    return Left(Trim(Concat(first, Value(" "), last)), 200)
