"""Postpone planned activities."""

from datetime import date, datetime, time

from django.db import transaction

from contacts.activities.conversations import check_in_range
from contacts.models import Activity
from crm.entities.values import zone
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.writing import apply_each
from crm.users.visibility import RecordQuerySet, lock

MORNING = time(9)  # of activities that had no due time


@transaction.atomic
def postpone(activities: RecordQuerySet, *, day: date, by: Actor) -> Outcome:
    """Make pending activities due on another day of the workspace's calendar, each at its time of day.

    A repeating one goes on by its series. Refused: completed and canceled ones. Raises Invalid for a day that records
    can't have.
    """
    check_in_range("day", day)
    locked = lock(activities, by)
    for rows in locked.batches():
        over = rows.exclude(status="pending").values_list("pk", flat=True)
        locked.outcome.refuse(over, _("This activity is already closed."))
    for rows in locked.batches():
        moved = [(activity, {"due_at": _due(activity, day)}) for activity in rows]
        apply_each([each for each in moved if each[1]["due_at"] != each[0].due_at], by=by)
        locked.outcome.done += [activity.pk for activity, _ in moved]
    return locked.outcome


def _due(activity: Activity, day: date) -> datetime:
    at = activity.due_at.astimezone(zone()).time() if activity.due_at else MORNING
    return datetime.combine(day, at, tzinfo=zone())
