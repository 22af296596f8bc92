"""Scheduled jobs of leads: overdue deadlines."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.record import update_and_record
from crm.events.scheduler import scheduled
from crm.kit import clock
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.kit.sqlite import courtesy
from crm.users.models import Workspace
from leads.models import Lead

BATCH = {"postgresql": 10_000, "sqlite": 50}  # leads per transaction


@scheduled(every=timedelta(minutes=1))
def notice_overdue(slot: datetime) -> None:
    """Record each overdue first contact once, which notifies managers and owners."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            # A check costs no transaction, for which others would wait on SQLite.
            pace, more = courtesy.Pace(BATCH[connection.vendor]), True
            while more and _unnoticed().exists():
                with pace.batch():
                    more = _notice(workspace, pace.size)


def _unnoticed() -> QuerySet[Lead]:
    running = Lead.objects.open().filter(contact_by__isnull=False, contacted_at__isnull=True, overdue_at__isnull=True)
    return running.filter(contact_by__lt=clock.now()).order_by("contact_by")


@transaction.atomic
def _notice(workspace: Workspace, size: int) -> bool:
    # A concurrent first contact holds the lead's lock, and is in time.
    late = list(_unnoticed().select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)[:size])
    rows = Lead.objects.filter(pk__any_of=late)
    return update_and_record("lead.overdue", rows, {"overdue_at": clock.now()}, by=system(workspace.pk)) == size
