"""Scheduled jobs of files."""

from datetime import datetime, time, timedelta

from crm.events.scheduler import scheduled
from crm.files.storing import remove_orphans
from crm.files.verbs.purge_attachments import purge_attachments
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.users.models import Workspace

KEPT = timedelta(days=30)  # in which a deletion can be undone


@scheduled(at=time(3, 30))
def remove_files(slot: datetime) -> None:
    """Purge files deleted a month ago, then remove bytes that nothing refers to."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            purge_attachments(slot - KEPT, by=system(workspace.pk))
    remove_orphans(slot)
