"""Looking through all records, by the clock: what time brings about, and what no event tells."""

from datetime import datetime, timedelta

from crm.anomalies.detect import detect
from crm.anomalies.kinds import all_kinds
from crm.events.scheduler import scheduled
from crm.kit.scope import in_workspace
from crm.users.models import Workspace


@scheduled(every=timedelta(minutes=2))
def find_anomalies(slot: datetime) -> None:
    """Look for every kind in every workspace."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            for kind in all_kinds():
                detect(kind)
