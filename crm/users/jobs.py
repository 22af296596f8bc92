"""What sign-in does by the clock."""

from datetime import datetime, timedelta

from django.db import connection

from crm.events.scheduler import scheduled

BATCH = 500  # rows at once: on SQLite nobody else writes meanwhile


@scheduled(every=timedelta(hours=1))
def forget_expired_counters(slot: datetime) -> None:
    """Delete counters of sign-ins that count no longer; the cache itself deletes them only when it is full."""
    expired = "SELECT cache_key FROM counters WHERE expires < %s LIMIT %s"
    with connection.cursor() as cursor:
        before = connection.ops.adapt_datetimefield_value(slot)
        while cursor.execute(f"DELETE FROM counters WHERE cache_key IN ({expired})", [before, BATCH]).rowcount:
            pass
