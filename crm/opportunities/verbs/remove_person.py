"""Take people off opportunities."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def remove_person(people: RecordQuerySet, *, by: Actor) -> Outcome:
    """Take people off their opportunities. The primary contact is changed by make_primary() or an edit."""
    locked = lock(people, by)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        update_and_record("opportunity_contact.removed", rows, {"deleted_at": clock.now()}, by=by)
    return locked.outcome
