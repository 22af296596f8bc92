"""Change the fields of contacts or companies."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit import values as audited
from contacts.axes import STATUS
from contacts.fields import apply, validate
from contacts.models import Contact
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.outcome import Outcome
from crm.lifecycle.move import write
from crm.users.visibility import Locked, lock


@transaction.atomic
def edit(records: QuerySet, values: Mapping[str, Any], *, by: Actor, base: Mapping[str, Any] | None = None) -> Outcome:
    """Set `values` (by field name; text or typed) on contacts or companies.

    `base` are the values that the editor saw: a field that somebody else changed since then is not overwritten.
    Changes to different fields merge; the same field changed to two values raises Conflict with both.
    Raises Invalid with a sentence per field.
    """
    entity = records.model._meta.model_name
    changes = validate(entity, values, by=by)
    locked = lock(records, by)
    if base is not None and len(locked.ids) == 1:
        changes = _merged(locked, changes, validate(entity, base, by=by))
    if "manager" in changes:
        _refuse_circles(locked, changes["manager"])
    status = changes.pop("status", None)
    owners = {key: changes.pop(key) for key in ("owner", "team") if key in changes}
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        if status:
            write(rows, STATUS, status, verb="set_status", event="contact.status_changed", by=by)
        if changes:
            apply(f"{entity}.updated", rows, _with_name(rows, changes), by=by)
        if owners:
            apply(f"{entity}.assigned", rows, owners, by=by)
    return locked.outcome


def _merged(locked: Locked, mine: dict, base: dict) -> dict:
    record = locked.model.objects.get(pk=locked.ids[0])
    wanted = {key: value for key, value in mine.items() if key not in base or value != base[key]}
    theirs = {key: audited.read(record, key) for key in wanted}
    clashes = {k: (wanted[k], theirs[k]) for k in wanted if k in base and theirs[k] not in (base[k], wanted[k])}
    if clashes:
        raise Conflict(clashes)
    return wanted


def _refuse_circles(locked: Locked, manager: int | None) -> None:
    chain = set()
    while manager and manager not in chain:
        chain.add(manager)
        manager = Contact.objects.filter(pk=manager).values_list("manager", flat=True).first()
    if chain & set(locked.ids):
        raise Invalid({"manager": "Nobody reports to themselves, not even through others."})


def _with_name(rows: QuerySet, changes: dict) -> dict:
    """The full name follows the first and last names for as long as it was made of them."""
    if rows.model is not Contact or "name" in changes or not {"first_name", "last_name"} & changes.keys():
        return changes
    people = list(rows[:2])
    if len(people) != 1 or people[0].name != f"{people[0].first_name} {people[0].last_name}".strip():
        return changes
    first, last = (changes.get(key, getattr(people[0], key)) for key in ("first_name", "last_name"))
    return changes | {"name": f"{first} {last}".strip() or people[0].name}
