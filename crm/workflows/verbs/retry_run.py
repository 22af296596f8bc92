"""Retry a run."""

from django.db import transaction

from audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require
from crm.workflows.models import Run, Workflow
from crm.workflows.running import again


@transaction.atomic
def retry_run(pk: int, *, by: Actor) -> None:
    """Continue a blocked or failed run from the step at which it stopped. Admins only.

    Raises NotAllowed, and Refused for a run in another state.
    """
    require(by, Right.WORKSPACE)
    run = Run.objects.select_for_update(of=("self",)).get(pk=pk)
    if not run.is_stopped:
        raise Refused(_("Only blocked or failed runs can be retried."))
    again(run)
    record("workflow.retried", Workflow.objects.filter(pk=run.workflow_id), by=by, note=run.public_id)
