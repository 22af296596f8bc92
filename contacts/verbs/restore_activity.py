"""Restore deleted activities."""

from django.db import transaction

from audit.record import update_and_record
from contacts.activities.last_activity import recompute
from contacts.activities.participants import keys_of_people
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def restore_activity(activities: RecordQuerySet, *, by: Actor) -> Outcome:
    """Bring deleted activities back, with what follows from them."""
    locked = lock(activities, by, trashed=True)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        update_and_record("activity.restored", rows, {"deleted_at": None}, by=by)
        recompute(keys_of_people(rows))
    return locked.outcome
