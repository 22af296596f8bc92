"""Cancel a run."""

from django.db import transaction

from audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require
from crm.workflows.models import Run, Workflow
from crm.workflows.running import end


@transaction.atomic
def cancel_run(pk: int, *, by: Actor) -> None:
    """End a run before its next step, keeping completed steps. Admins only.

    Raises NotAllowed, and Refused for a finished run.
    """
    require(by, Right.WORKSPACE)
    run = Run.objects.select_for_update(of=("self",)).get(pk=pk)
    if not run.is_open:
        raise Refused(_("This run has already finished."))
    end(run, Run.Status.CANCELLED, _("Canceled by {name}").format(name=by.name))
    record("workflow.cancelled", Workflow.objects.filter(pk=run.workflow_id), by=by, note=run.public_id)
