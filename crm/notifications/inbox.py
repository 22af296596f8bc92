"""A member's notifications: unread count, pages, read and unread. Reading is not recorded: it changes no record."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit.timeline import read_cursor
from crm.kit.actor import Actor
from crm.kit.nav import COUNT_LIMIT
from crm.notifications.models import Notification, NotificationQuerySet

LATEST, PAGE = 10, 50


class NotificationPage(NamedTuple):
    """Some notifications, newest first, and the cursor of the next page ('' at the end)."""

    rows: list[Notification]
    cursor: str


def unread(by: Actor) -> QuerySet:
    """Return the unread ones, as many as the bell counts, for the statement of the page frame's counts."""
    return Notification.objects.of(by).unread().order_by().values(fact=F("pk"))[:COUNT_LIMIT]


def notification_page(by: Actor, *, only_unread: bool = False, before: str = "", size: int = PAGE) -> NotificationPage:
    rows = Notification.objects.of(by).select_related("actor__user").order_by("-at", "-id")
    if only_unread:
        rows = rows.unread()
    if place := read_cursor(before):
        at, pk = place
        rows = rows.filter(at__lte=at).filter(Q(at__lt=at) | Q(pk__lt=pk))
    found = list(rows[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return NotificationPage(found[:size], f"{last.at.isoformat()}~{last.pk}" if last else "")


def mark_read(rows: NotificationQuerySet) -> datetime | None:
    """Mark the unread `rows` as read. Return the time, which identifies them for mark_unread(); None if none."""
    now = timezone.now()
    return now if rows.unread().update(read_at=now) else None


def mark_unread(by: Actor, moment: datetime) -> int:
    return Notification.objects.of(by).filter(read_at=moment).update(read_at=None)
