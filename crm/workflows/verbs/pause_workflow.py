"""Pause a workflow that has run away."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.versions import bump_schema
from crm.kit import clock
from crm.kit.actor import Actor
from crm.notifications.kinds import Channel, NotificationKind, register
from crm.notifications.notify import NewNotification, notify
from crm.workflows.models import Workflow

PAUSED = register(
    NotificationKind(
        "workflow_paused",
        "A workflow of mine is paused",
        "circle-pause",
        "The workflow {record} was paused: it ran too often",
        "the workflow is yours",
        Channel.MAIL,
    )
)


@transaction.atomic
def pause_workflow(pk: int, because: str, *, by: Actor) -> None:
    """Switch a workflow off and tell its owner why; nothing where it is off already."""
    rows = Workflow.objects.filter(pk=pk, enabled=True)
    for workflow in rows.select_for_update():
        update_and_record("workflow.paused", rows, {"enabled": False, "paused_because": because[:200]}, by=by)
        bump_schema()
        key = f"paused {workflow.pk} {by.change}"
        notify(PAUSED, [NewNotification(workflow.owner_id, "workflow", workflow.pk, key, clock.now())], by=by)
