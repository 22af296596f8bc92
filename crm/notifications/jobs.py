"""Scheduled notifications: reminders of activities, and the daily digest."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from contacts.models import Activity
from crm.events.publish import publish
from crm.events.scheduler import scheduled
from crm.kit.actor import Channel, system
from crm.kit.scope import in_workspace
from crm.notifications.kinds import TASK_DUE
from crm.notifications.models import Digest, Notification
from crm.notifications.notify import NewNotification, notify
from crm.users.models import Membership, Workspace
from crm.users.visibility import may_see

OVERDUE = timedelta(days=1)  # tasks due earlier are missed, and shown on My day
MORNING = time(8)
BEFORE = [timedelta(minutes=int(minutes)) for minutes, _label in Activity.REMINDERS]


@scheduled(every=timedelta(minutes=1))
def tell_due(slot: datetime) -> None:
    """Remind members of their activities, once per activity and due time."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            due = list(_untold(slot))  # looking costs no transaction; on SQLite transactions queue
            if due:
                _tell(due, workspace)


def _untold(slot: datetime) -> QuerySet[Activity]:
    due = Activity.objects.live().filter(status="pending", assignee__is_active=True)
    told = reduce(or_, (_reminds(before, slot) for before in BEFORE))
    return due.filter(told).select_related("assignee__user", "contact", "company")


def _reminds(before: timedelta, slot: datetime) -> Q:
    """Return the condition for activities whose reminder, this long before they are due, hasn't been sent."""
    at = ExpressionWrapper(OuterRef("due_at") - before, models.DateTimeField())
    notified = Notification.objects.filter(
        recipient=OuterRef("assignee"), kind=TASK_DUE.name, entity="activity", entity_id=OuterRef("pk"), at=at
    )
    now = Q(due_at__gt=slot + before - OVERDUE, due_at__lte=slot + before)
    return Q(now, ~Exists(notified), reminder=_minutes(before))


def _minutes(span: timedelta) -> str:
    return str(int(span.total_seconds() // 60))


def _tell(due: list[Any], workspace: Workspace) -> None:
    there = (task for task in due if task.about.deleted_at is None)
    seen = [task for task in there if may_see(task.about, task.assignee.actor(Channel.SYSTEM))]
    notify(TASK_DUE, map(_reminder, seen), by=system(workspace.pk))


def _reminder(task: Activity) -> NewNotification:
    due_at: Any = task.due_at
    at = due_at - timedelta(minutes=int(task.reminder))
    key = f"task {task.pk} {at.isoformat()}"
    return NewNotification(task.assignee_id or 0, "activity", task.pk, key, at)


@scheduled(every=timedelta(hours=1))
def make_digests(slot: datetime) -> None:
    """Queue each member's digest of news before eight in the morning, local time, once a day.

    After an outage the email is late but sent; news after eight waits for the next day's.
    """
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            for member, morning in list(_waiting(slot, workspace)):
                _make(member, morning, workspace)


def _waiting(slot: datetime, workspace: Workspace) -> Iterator[tuple[Membership, datetime]]:
    """Yield members with news for a digest, and their latest local morning."""
    recipients = _undigested().values("recipient")
    for member in Membership.objects.filter(pk__in=recipients).select_related("user"):
        local = slot.astimezone(ZoneInfo(member.user.timezone or workspace.timezone))
        morning = local.replace(hour=MORNING.hour, minute=0, second=0, microsecond=0)
        if local >= morning:
            yield member, morning


def _undigested() -> QuerySet[Notification]:
    return Notification.objects.to_mail().filter(mail=Notification.Mail.DIGEST, digest__isnull=True)


@transaction.atomic
def _make(member: Membership, morning: datetime, workspace: Workspace) -> None:
    news = list(_undigested().filter(recipient=member, at__lt=morning).values_list("pk", flat=True))
    if not news:
        return
    digest, created = Digest.objects.get_or_create(recipient=member, day=morning.date())
    if created:
        Notification.objects.filter(pk__in=news).update(digest=digest)
        publish("digest.made", Digest.objects.filter(pk=digest.pk), by=system(workspace.pk))
