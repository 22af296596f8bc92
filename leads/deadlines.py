"""First-contact deadlines of new leads (source 003: new, < 24 hours)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.entities.values import zone
from leads.assignment.models import FirstContactTerms


def terms() -> FirstContactTerms:
    """Return the SLA of the workspace in scope, by default 24 hours around the clock."""
    return FirstContactTerms.objects.first() or FirstContactTerms()


# Why: docs/decisions/0038-deadlines-count-elapsed-hours.md
def deadline(opened: datetime, agreed: FirstContactTerms) -> datetime:
    """Return when the hours have passed since `opened` (aware), in UTC; optionally only business hours count.

    Elapsed hours, also across clock changes: such a day has 23 or 25 hours, and an office open over the change an hour
    less or more.
    """
    left = timedelta(hours=agreed.hours)
    if not agreed.in_business_hours:
        return opened.astimezone(UTC) + left
    for start, end in _open_from(opened, agreed, zone()):
        begin = max(start, opened.astimezone(UTC))
        if end - begin >= left:
            return begin + left
        left -= max(end - begin, timedelta())
    raise ValueError("An office without days or hours never opens.")


def _open_from(moment: datetime, agreed: FirstContactTerms, here: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield the office hours in UTC, from the local day of `moment` on."""
    day = moment.astimezone(here).date()
    while agreed.days:
        if day.weekday() in agreed.days:
            yield _span(day, agreed, here)
        day += timedelta(days=1)


def _span(day: date, agreed: FirstContactTerms, here: ZoneInfo) -> tuple[datetime, datetime]:
    return _at(day, agreed.opens, here), _at(day, agreed.closes, here)


def _at(day: date, minutes: int, here: ZoneInfo) -> datetime:
    """Return the time at which clocks show `minutes` after the midnight that begins `day`."""
    return (datetime.combine(day, time(), here) + timedelta(minutes=minutes)).astimezone(UTC)
