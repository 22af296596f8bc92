"""Rotate the secret of a workflow's webhooks."""

from django.db import transaction
from django.db.models import F

from audit.record import update_and_record
from crm.kit.actor import Actor
from crm.users.roles import Right, require
from crm.workflows.models import Workflow


@transaction.atomic
def rotate_secret(workflow: Workflow, *, by: Actor) -> None:
    """Add a new signing secret; the current one stays valid until the next rotation. Admins only."""
    require(by, Right.WORKSPACE)
    update_and_record(
        "workflow.rotated", Workflow.objects.filter(pk=workflow.pk), {"generation": F("generation") + 1}, by=by
    )
