"""Deletion of fully handled events: the outbox is a queue, the audit log is the history."""

from datetime import datetime, time, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from crm.events.models import Delivery, Event, Slot
from crm.events.scheduler import scheduled

KEPT = timedelta(days=30)
BATCH = 1000


@scheduled(at=time(4))
def prune(slot: datetime) -> None:
    """Delete slots, done deliveries and events without open deliveries that are more than KEPT older than `slot`."""
    limit = slot - KEPT
    delivery = Delivery.objects.unscoped()
    told = ~Exists(delivery.filter(event=OuterRef("pk")))
    _delete(Slot.objects.filter(starts_at__lt=limit))
    _delete(delivery.filter(done_at__lt=limit))
    _delete(Event.objects.unscoped().filter(told, waiting=False, recorded_at__lt=limit))


def _delete(rows: QuerySet) -> None:
    # In small transactions: on SQLite they block all other writers.
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.filter(pk__in=ids).delete()
