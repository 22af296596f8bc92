"""Activities that repeat: completing one plans the next."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from contacts.models import Activity
from crm.conditions.relative_dates import shift
from crm.entities.values import zone
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _

STEPS = {
    "daily": (1, "day"),
    "weekdays": (1, "day"),
    "weekly": (1, "week"),
    "fortnightly": (2, "week"),
    "monthly": (1, "month"),
    "quarterly": (3, "month"),
    "yearly": (12, "month"),
}
LONGEST = {"day": 1, "week": 7, "month": 31}  # days
SATURDAY = 5  # as datetime.weekday()
# What the next one takes over.
KEPT = ["kind", "subject", "subject_key", "body", "contact_id", "company_id", "opportunity_id", "owner_id"]
KEPT += ["assignee_id", "priority", "minutes", "sender", "recipients", "reminder", "repeats"]


def check_repeats(repeats: str, due_at: datetime | None) -> None:
    """Raise Invalid for an unknown interval, or one without a due time to count from."""
    if repeats and repeats not in STEPS:
        raise Invalid({"repeats": _("Choose how often it repeats.")})
    if repeats and due_at is None:
        raise Invalid({"due_at": _("Enter when it’s due: it repeats from then.")})


def next_due(activity: Activity) -> datetime:
    """Return when a repeating activity is due next: after its due time, and in the future.

    Counted from the start of the series in the workspace's time zone: at the same time of day also when clocks change,
    and on the 31st again after a shorter month.
    """
    due_at: Any = activity.due_at
    after, start = max(due_at, clock.now()), (activity.series_start or due_at).astimezone(zone())
    return next(at for at in _occurrences(start, activity.repeats, after, zone()) if at > after)


def _occurrences(start: datetime, repeats: str, after: datetime, tz: ZoneInfo) -> Iterator[datetime]:
    """Yield the occurrences of a series, without most of those before `after`, of which there can be 200 years."""
    amount, unit = STEPS[repeats]
    passed = (after - start).days // (amount * LONGEST[unit])
    for number in count(max(1, passed)):
        at: Any = shift(start, (number * amount, unit), 1, tz)
        if not (repeats == "weekdays" and at.weekday() >= SATURDAY):
            yield at


def next_ones(completed: Iterable[Activity], by: Actor) -> list[tuple[Activity, Activity]]:
    """Return, unsaved, the next activity of each repeating one, after it."""
    return [(activity, _next(activity, by)) for activity in completed if activity.repeats and activity.due_at]


def _next(activity: Activity, by: Actor) -> Activity:
    now = clock.now()
    kept = {name: getattr(activity, name) for name in KEPT}
    times = {"due_at": next_due(activity), "created_at": now, "updated_at": now}
    start = activity.series_start or activity.due_at
    return Activity(workspace_id=by.workspace_id, status="pending", series_start=start, **kept, **times)
