"""Delete activities."""

from django.db import transaction

from audit.record import update_and_record
from contacts.activities.last_activity import recompute
from contacts.activities.participants import keys_of_people
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def delete_activity(activities: RecordQuerySet, *, by: Actor) -> Outcome:
    """Hide activities; undoing the change restores them."""
    locked = lock(activities, by)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        update_and_record("activity.deleted", rows, {"deleted_at": clock.now()}, by=by)
        recompute(keys_of_people(rows))
    return locked.outcome
