"""The score of DESIGN 1.3, computed event by event in Python, as reference for SQL."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

FLEET = ((250, 40), (100, 34), (50, 28), (25, 20), (10, 15), (5, 10), (1, 5))
TIER_1 = "AE DE FR GB QA SA US".split()
TIER_2 = "AT AU BE BH CA CH DK ES FI IE IT JP KW NL NO OM SE SG".split()
POINTS = {
    "demo_request": 40, "meeting_booked": 30, "email_reply": 20, "call_connected": 20, "form_submitted": 15,
    "pricing_viewed": 15, "webinar_attended": 15, "content_download": 10, "email_clicked": 5, "page_viewed": 2,
    "email_opened": 1, "unsubscribed": -30,
}  # fmt: skip


def fit(fleet: int | None, country: str) -> int:
    """Return 0–60, by fleet size and country tier."""
    size = next((points for least, points in FLEET if (fleet or 0) >= least), 0)
    return size + (20 if country in TIER_1 else 12 if country in TIER_2 else 5 if country else 0)


def engagement(events: Iterable[tuple[str, datetime]], at: datetime, half_life: timedelta = timedelta(days=30)) -> int:
    """Return 0–100, from (kind, time) pairs up to `at`."""
    total = math.fsum(POINTS[kind] * 2 ** -((at - when) / half_life) for kind, when in events if when <= at)
    return max(0, min(100, math.floor(round(total, 6) + 0.5)))


def tenths(fleet: int | None, country: str, events: Iterable[tuple[str, datetime]], at: datetime) -> int:
    """Return the qualification score in tenths of a point."""
    return fit(fleet, country) * 6 + engagement(events, at) * 4
