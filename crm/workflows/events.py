"""What can happen to workflows, and how their runs go on."""

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
    EventType("workflow.created", "CREATE", "made a workflow", icon="workflow"),
    EventType("workflow.updated", "UPDATE", "changed the workflow", icon="workflow"),
    EventType("workflow.switched", "UPDATE", "switched the workflow", icon="power"),
    EventType("workflow.paused", "UPDATE", "paused the workflow", icon="circle-pause", severity="warning"),
    EventType("workflow.started", "START", "started the workflow by hand", icon="play"),
    EventType("workflow.retried", "RETRY", "tried a run again", icon="rotate-cw"),
    EventType("workflow.cancelled", "CANCEL", "cancelled a run", icon="circle-x"),
    EventType("workflow.rotated", "UPDATE", "changed the secret of the webhooks", icon="key", category="security"),
    EventType("workflow_version.created", "CREATE", "made a version of a workflow", icon="workflow"),
    EventType("release.created", "CREATE", "had workflows run after an import", icon="play"),
    EventType("workflow_run.due", "", "goes on"),
    EventType("workflow_run.outward", "", "reaches out"),
)

# Not a record with pages of its own kind: an exception is about one.
register_entity(Entity("workflow_run", "workflows.Run", _("Workflow run"), _("Workflow runs"), "run")).add(
    Field("name", _("Name"), T.TEXT, path="workflow__name", editable=False)
)
