"""Scheduled jobs: weekly forecast snapshots and emailed dashboards in the morning."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import TruncMonth

from crm.dashboards import handlers  # noqa: F401 (what the job's events are delivered to)
from crm.dashboards.models import Forecast, Subscription
from crm.dashboards.parts.pipeline import SUMS
from crm.dashboards.period import today
from crm.entities.values import zone
from crm.events.publish import publish
from crm.events.scheduler import scheduled
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.opportunities.models import Opportunity
from crm.users.models import Workspace

WEEK = timedelta(days=7)
MORNING = 7


@scheduled(every=timedelta(hours=1))
def keep_forecasts(slot: datetime) -> None:
    """Store the pipeline if the last snapshot is a week old or missing, also after an outage."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            if not Forecast.objects.filter(day__gt=today() - WEEK).exists():
                _keep()


@transaction.atomic
def _keep() -> None:
    groups = Opportunity.objects.open().order_by().annotate(closing=TruncMonth("close_date"))
    found = groups.values("stage", "closing", "currency").annotate(**SUMS)
    # Of two concurrent schedulers, the second finds the first's rows.
    Forecast.objects.bulk_create([_forecast(group) for group in found], ignore_conflicts=True)


def _forecast(group: dict) -> Forecast:
    month = f"{group['closing']:%Y-%m}" if group["closing"] else ""
    facts = {"stage": group["stage"], "currency": group["currency"], "count": group["count"], "month": month}
    return Forecast(day=today(), amount=group["total"] or 0, weighted=group["likely"] or 0, **facts)


@scheduled(every=timedelta(hours=1))
def mail_dashboards(slot: datetime) -> None:
    """Queue due dashboards from seven in the morning on, once per subscribed day."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            due = [found.pk for found in _wanted(slot)]
            if due:
                _publish(workspace, due)


def _wanted(slot: datetime) -> Iterator[Subscription]:
    for found in Subscription.objects.exclude(every="").filter(member__is_active=True):
        day = today()
        if _is_due(found, day) and slot.astimezone(zone()).hour >= MORNING:
            yield found


def _is_due(found: Subscription, day: date) -> bool:
    if found.sent_on == day:
        return False
    return {"day": True, "week": day.weekday() == 0, "month": day.day == 1}[found.every]


@transaction.atomic
def _publish(workspace: Workspace, due: list[int]) -> None:
    rows: QuerySet = Subscription.objects.filter(Q(sent_on__isnull=True) | ~Q(sent_on=today()), pk__in=due)
    publish("dashboard_mail.due", rows, by=system(workspace.pk))
    rows.update(sent_on=today())
