"""Remove people from activities."""

from django.db import transaction

from audit.record import update_and_record
from contacts.activities.last_activity import recompute
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def remove_participants(participants: RecordQuerySet, *, by: Actor) -> Outcome:
    """Remove people from their activities. The first one, the activity's contact, stays."""
    locked = lock(participants, by)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        update_and_record("participant.removed", rows, {"deleted_at": clock.now()}, by=by)
        recompute(rows.values_list("contact", flat=True))
    return locked.outcome
