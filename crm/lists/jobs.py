"""Scheduled jobs of the lists."""

from datetime import datetime, timedelta

from crm.events.scheduler import scheduled
from crm.kit.scope import in_workspace
from crm.lists.undo_runs import continue_interrupted
from crm.users.models import Workspace


@scheduled(every=timedelta(seconds=30))
def continue_undos(slot: datetime) -> None:
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            continue_interrupted()
