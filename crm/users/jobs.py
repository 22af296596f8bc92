"""Scheduled jobs for sign-ins and forms."""

from datetime import datetime, timedelta

from django.db import connection

from crm.events.scheduler import scheduled
from crm.users.models import Submission

BATCH = 500  # rows per batch: on SQLite it blocks all other writers
KEPT = timedelta(days=2)


@scheduled(every=timedelta(hours=1))
def forget_expired_counters(slot: datetime) -> None:
    """Delete expired sign-in counters; the cache itself does so only when full."""
    expired = "SELECT cache_key FROM counters WHERE expires < %s LIMIT %s"
    with connection.cursor() as cursor:
        before = connection.ops.adapt_datetimefield_value(slot)
        while cursor.execute(f"DELETE FROM counters WHERE cache_key IN ({expired})", [before, BATCH]).rowcount:
            pass


@scheduled(every=timedelta(days=1))
def forget_submissions(slot: datetime) -> None:
    old = Submission.objects.unscoped().filter(at__lt=slot - KEPT).order_by("at")
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        Submission.objects.unscoped().filter(pk__in=ids).delete()
