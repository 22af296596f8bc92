"""A dashboard's period, and the prior period for comparison."""

from dataclasses import dataclass
from datetime import date, timedelta

from crm.entities.values import zone
from crm.kit import clock, formats

USUAL = 90  # days
LONGEST = 3_660


@dataclass(frozen=True)
class Period:
    """The days from first to last, inclusive, in the workspace's calendar."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def of(self, key: str) -> str:
        return f"{key} >= {self.first} and {key} <= {self.last}"

    def __str__(self):
        return f"{formats.day(self.first)} – {formats.day(self.last)}"


def today() -> date:
    """Return the workspace's calendar day."""
    return clock.now().astimezone(zone()).date()


def read_period(first: str, last: str) -> Period:
    """Return the period between two ISO days; missing or invalid ones default to the usual days up to today."""
    end = _day(last) or today()
    start = _day(first) or end - timedelta(days=USUAL - 1)
    if start > end:
        start, end = end, start
    return Period(max(start, end - timedelta(days=LONGEST)), end)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1900 <= found.year <= 2200 else None
