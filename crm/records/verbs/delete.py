"""Move records to the trash."""

from django.db import transaction

from crm.entities.registry import entity_of
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.writing import apply
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def delete(records: RecordQuerySet, *, by: Actor, reason: str) -> Outcome:
    """Move records to the trash, with the reason required by source 003."""
    if not reason.strip():
        raise Invalid({"reason": _("Enter a reason.")})
    locked = lock(records, by)
    for rows in locked.batches():
        found = list(rows.values_list("pk", flat=True))
        apply(f"{entity_of(records.model)}.deleted", rows, {"deleted_at": clock.now()}, by=by, note=reason)
        locked.outcome.done += found
    return locked.outcome
