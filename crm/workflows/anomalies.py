"""Exceptions for failed runs, assigned to the workflow's owner."""

from django.db.models import F

from crm.anomalies.detect import look_soon, register
from crm.anomalies.kinds import AnomalyKind
from crm.kit.actor import Channel, system
from crm.kit.translation import gettext_lazy as _
from crm.workflows.models import Run

FAILED = AnomalyKind(
    name="workflow_failed",
    label=_("Workflow failed"),
    entity="workflow_run",
    rows=lambda: Run.objects.filter(status=Run.Status.FAILED),
    since=lambda: F("finished_at"),
    evidence=lambda: F("reason"),
    help=_("View run"),
    url=Run.get_absolute_url,
)
register(FAILED)
_look = look_soon(FAILED, "")


def look_again(run: Run) -> None:
    """Update the exceptions of a run that ended or resumed, after commit."""
    _look(Run.objects.filter(pk=run.pk), system(run.workspace_id, Channel.WORKFLOW))
