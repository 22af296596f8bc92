"""Scheduled detection in all records, for causes that trigger no event, such as time."""

from datetime import datetime, timedelta

from crm.anomalies.detect import detect
from crm.anomalies.kinds import ANOMALY_KINDS
from crm.events.scheduler import scheduled
from crm.kit.scope import in_workspace
from crm.users.models import Workspace


@scheduled(every=timedelta(minutes=2))
def find_anomalies(slot: datetime) -> None:
    """Detect all kinds in all workspaces."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            for kind in ANOMALY_KINDS.values():
                detect(kind)
