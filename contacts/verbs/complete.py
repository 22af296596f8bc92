"""Finish tasks."""

from django.db import transaction

from audit.record import change
from contacts.last_activity import touch
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def complete(activities: RecordQuerySet, *, by: Actor, outcome: str = "") -> Outcome:
    """Mark pending activities as done now; those done or cancelled before are refused."""
    locked = lock(activities, by)
    for rows in locked.batches():
        over = rows.exclude(status="pending").values_list("pk", flat=True)
        locked.outcome.refuse(over, "It is not open any more.")
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        change("activity.completed", rows, {"status": "done", "done_at": clock.now()}, by=by, note=outcome)
        touch(list(rows))
    return locked.outcome
