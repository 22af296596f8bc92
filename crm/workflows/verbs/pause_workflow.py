"""Pause a runaway workflow."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.versions import bump_schema
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.translation import gettext_lazy as _
from crm.notifications.kinds import Channel, NotificationKind, register
from crm.notifications.notify import NewNotification, notify
from crm.workflows.models import Workflow

PAUSED = register(
    NotificationKind(
        "workflow_paused",
        _("One of my workflows is paused"),
        "circle-pause",
        _("Workflow {record} was paused because it ran too often"),
        _("You’re receiving this because you own the workflow."),
        Channel.MAIL,
        unseen=_("One of your workflows was paused because it ran too often"),
    )
)


@transaction.atomic
def pause_workflow(pk: int, because: str, *, by: Actor) -> None:
    """Turn a workflow off and notify its owner; do nothing if it is already off."""
    rows = Workflow.objects.filter(pk=pk, enabled=True)
    for workflow in rows.select_for_update():
        update_and_record("workflow.paused", rows, {"enabled": False, "paused_because": because[:200]}, by=by)
        bump_schema()
        key = f"paused {workflow.pk} {by.change}"
        notify(PAUSED, [NewNotification(workflow.owner_id, "workflow", workflow.pk, key, clock.now())], by=by)
