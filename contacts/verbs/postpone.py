"""Postpone planned activities."""

from collections import defaultdict
from datetime import date, datetime, time

from django.db import transaction

from audit.record import update_and_record
from contacts.models import Activity
from crm.entities.values import zone
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.users.visibility import RecordQuerySet, lock

MORNING = time(9)  # of activities that had no due time


@transaction.atomic
def postpone(activities: RecordQuerySet, *, day: date, by: Actor) -> Outcome:
    """Make pending activities due on another day of the workspace's calendar, each at its time of day.

    A repeating one goes on by its series. Refused: completed and canceled ones.
    """
    locked = lock(activities, by)
    for rows in locked.batches():
        over = rows.exclude(status="pending").values_list("pk", flat=True)
        locked.outcome.refuse(over, _("This activity is already closed."))
    times: defaultdict[time, list[int]] = defaultdict(list)
    for rows in locked.batches():
        for pk, due_at in rows.values_list("pk", "due_at"):
            times[due_at.astimezone(zone()).time() if due_at else MORNING].append(pk)
            locked.outcome.done.append(pk)
    for at, ids in times.items():
        due_at = datetime.combine(day, at, tzinfo=zone())
        update_and_record("activity.updated", Activity.objects.filter(pk__in=ids), {"due_at": due_at}, by=by)
    return locked.outcome
