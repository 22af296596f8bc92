"""Create a workflow, or save a new version of it."""

from collections.abc import Sequence

from django.db import transaction

from audit.record import record, update_and_record
from crm.entities.versions import bump_schema, lock_settings
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.users.models import Membership
from crm.workflows.definition import Definition, checked
from crm.workflows.models import Workflow, WorkflowVersion
from crm.workflows.params import Values

KEPT = ("name", "owner", "enabled", "number", "generation")


@transaction.atomic
def save_workflow(
    workflow: Workflow,
    *,
    name: str,
    owner: int | None,
    trigger: Values,
    condition: str,
    steps: Sequence[Values],
    by: Actor,
) -> Workflow:
    """Save `workflow`, new (and turned off) or changed; runs in progress finish with their version.

    It acts with the rights of the member `owner`. Admins only. Raises NotAllowed, and Invalid per field.
    """
    lock_settings(by)
    name, errors = name.strip(), dict[str, str]()
    if not 0 < len(name) <= 80:
        errors["name"] = _("Enter a name of up to 80 characters.")
    if not Membership.objects.active().exclude(role=Role.VIEWER).filter(pk=owner).exists():
        errors["owner"] = _("Choose an active owner who can edit records.")
    definition = _checked(trigger, condition, steps, errors)
    if workflow.pk is None:
        workflow.name, workflow.owner_id = name, owner
        workflow.save()
        record("workflow.created", Workflow.objects.filter(pk=workflow.pk), by=by, snapshot=KEPT)
    number = _version(workflow, definition, by)
    wanted = {"name": name, "owner": owner, "number": number}
    update_and_record("workflow.updated", Workflow.objects.filter(pk=workflow.pk), wanted, by=by)
    bump_schema()
    return Workflow.objects.get(pk=workflow.pk)


def _checked(trigger: Values, condition: str, steps: Sequence[Values], errors: dict[str, str]) -> Definition:
    try:
        definition = checked(trigger, condition, steps)
    except Invalid as error:
        raise Invalid(errors | error.errors) from None
    if errors:
        raise Invalid(errors)
    return definition


def _version(workflow: Workflow, definition: Definition, by: Actor) -> int:
    """Return the number of this definition's version: the current one if nothing changed."""
    same = {"trigger": definition.trigger, "condition": definition.condition, "steps": definition.steps}
    now = workflow.versions.filter(number=workflow.number).first()
    if now and all(getattr(now, key) == value for key, value in same.items()):
        return now.number
    number = workflow.number + 1
    facts = {"member_id": by.member_id, "created_at": clock.now(), "number": number}
    made = WorkflowVersion.objects.create(workflow=workflow, **facts, **same)
    told = ("workflow", "number", "trigger", "condition", "steps", "member")
    record("workflow_version.created", WorkflowVersion.objects.filter(pk=made.pk), by=by, snapshot=told)
    return number
