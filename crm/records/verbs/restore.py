"""Restore records from the trash."""

from django.db import transaction

from crm.entities.registry import entity_of
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext_lazy as _
from crm.records.registry import RECORD_TYPES
from crm.records.writing import apply
from crm.users.visibility import Locked, RecordQuerySet, lock

ANOTHER = _("Another record now has the same value.")
TAKEN = {"external_id": _("Another record now uses this external ID.")}


@transaction.atomic
def restore(records: RecordQuerySet, *, by: Actor) -> Outcome:
    """Restore records unchanged.

    Refused: records whose external ID is now used by another, and those held by their type, e.g. merged contacts.
    """
    locked = lock(records, by, trashed=True)
    entity = entity_of(records.model)
    RECORD_TYPES[entity].hold_in_trash(locked)
    for field in records.model.UNIQUE:
        _refuse_taken(locked, field)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        apply(f"{entity}.restored", rows, {"deleted_at": None}, by=by)
    return locked.outcome


def _refuse_taken(locked: Locked, field: str) -> None:
    """Refuse all but the first of several records with the same value."""
    taken: set[str] = set()
    for rows in locked.batches():
        wanted = rows.exclude(**{field: ""}).order_by("pk")
        live = locked.model.objects.live().filter(**{f"{field}__in": wanted.order_by().values(field)})
        taken |= set(live.values_list(field, flat=True))
        for pk, value in wanted.values_list("pk", field):
            if value in taken:
                locked.outcome.refuse([pk], str(TAKEN.get(field, ANOTHER)))
            taken.add(value)
