"""Turn a workflow on or off."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.versions import bump_schema, lock_settings
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Refused
from crm.kit.translation import gettext as _
from crm.workflows.definition import checked
from crm.workflows.models import Workflow


@transaction.atomic
def switch_workflow(workflow: Workflow, on: bool, *, by: Actor) -> None:
    """Turn a workflow on or off; runs in progress continue. Admins only.

    Raises NotAllowed, and Refused if a field, step or member that it needs was removed.
    """
    lock_settings(by)
    if on:
        _check(workflow)
    rows = Workflow.objects.filter(pk=workflow.pk)
    wanted = {"enabled": on} | ({"paused_because": "", "checked_at": clock.now()} if on else {})
    if on and rows.filter(enabled=True).exists():
        return
    update_and_record("workflow.switched", rows, wanted, by=by)
    bump_schema()


def _check(workflow: Workflow) -> None:
    version = workflow.current
    try:
        checked(version.trigger, version.condition, version.steps)
    except Invalid as error:
        raise Refused(_("Can’t turn on yet. {error}").format(error=error)) from None
    if not workflow.owner.is_active:
        raise Refused(_("{name} is no longer active. Choose a new owner first.").format(name=workflow.owner))
