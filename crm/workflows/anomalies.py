"""A run that failed is an exception, which its workflow's owner sees to."""

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
    """Bring the exceptions in line with a run that ended, or goes on after all, once that is committed."""
    _look(Run.objects.filter(pk=run.pk), system(run.workspace_id, Channel.WORKFLOW))
