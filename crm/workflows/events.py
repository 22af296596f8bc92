"""Events of workflows and their runs."""

from audit.subjects import register
from crm.entities.fields import Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity
from crm.entities.registry import register as register_entity
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("workflow", "workflows.Workflow")
register("workflow_version", "workflows.WorkflowVersion")
register("release", "workflows.Release")
declare(
    EventType("workflow.created", "CREATE", _("Workflow created"), _("{who} created a workflow"), icon="workflow"),
    EventType("workflow.updated", "UPDATE", _("Workflow changed"), _("{who} changed the workflow"), icon="workflow"),
    EventType(
        "workflow.switched",
        "UPDATE",
        _("Workflow turned on or off"),
        _("{who} turned the workflow on or off"),
        icon="power",
    ),
    EventType(
        "workflow.paused",
        "UPDATE",
        _("Workflow paused"),
        _("{who} paused the workflow"),
        icon="circle-pause",
        severity="warning",
    ),
    EventType(
        "workflow.started", "START", _("Workflow run manually"), _("{who} ran the workflow manually"), icon="play"
    ),
    EventType("workflow.retried", "RETRY", _("Run retried"), _("{who} retried a run"), icon="rotate-cw"),
    EventType("workflow.cancelled", "CANCEL", _("Run canceled"), _("{who} canceled a run"), icon="circle-x"),
    EventType(
        "workflow.rotated",
        "UPDATE",
        _("Webhook secret changed"),
        _("{who} changed the webhook secret"),
        icon="key",
        category="security",
    ),
    EventType(
        "workflow_version.created",
        "CREATE",
        _("Workflow version created"),
        _("{who} created a version of a workflow"),
        icon="workflow",
    ),
    EventType(
        "release.created",
        "CREATE",
        _("Workflows run after import"),
        _("{who} ran workflows after an import"),
        icon="play",
    ),
    EventType("workflow_run.due", "", _("Run resumes")),
    EventType("workflow_run.outward", "", _("Run sends a message")),
)

# Not a record with pages of its own: exceptions are about runs.
register_entity(Entity("workflow_run", "workflows.Run", _("Workflow run"), _("Workflow runs"), "run")).add(
    Field("name", _("Name"), T.TEXT, path="workflow__name", editable=False)
)
