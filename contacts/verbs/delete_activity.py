"""Take activities off the timeline."""

from django.db import transaction
from django.db.models import QuerySet

from audit.record import change
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import lock


@transaction.atomic
def delete_activity(activities: QuerySet, *, by: Actor) -> Outcome:
    """Hide activities; the undo of the change brings them back."""
    locked = lock(activities, by)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        change("activity.deleted", rows, {"deleted_at": clock.now()}, by=by)
    return locked.outcome
