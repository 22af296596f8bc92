"""Scheduled scoring: recalculation every hour, continuation of unfinished runs every minute."""

from datetime import datetime, timedelta

from crm.events.scheduler import scheduled
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.users.models import Workspace
from leads.models import ScoringModel, ScoringRun
from leads.scoring.runs import finish_scoring_run, open_run


@scheduled(every=timedelta(minutes=1))
def score_leads(slot: datetime) -> None:
    """Recalculate all workspaces' leads on the hour; at other minutes only continue open runs."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            is_open = ScoringRun.objects.filter(finished_at__isnull=True).exists()
            if is_open or (slot.minute == 0 and ScoringModel.objects.exists()):
                by = system(workspace.pk)
                finish_scoring_run(open_run(by=by), by=by)
