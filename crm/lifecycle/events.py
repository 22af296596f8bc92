"""What can happen to guards, to definitions of stages, and to waits."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("guard", "lifecycle.Guard")
register("stage_definition", "lifecycle.StageDefinition")
register("wait", "lifecycle.Wait")
declare(
    EventType("guard.created", "CREATE", "made a guard", icon="shield-check", category="security"),
    EventType("guard.updated", "UPDATE", "changed a guard", icon="shield-check", category="security"),
    EventType("stage_definition.created", "CREATE", "defined a stage", icon="book-open-check"),
    EventType("wait.created", "WAIT", "let it wait", icon="hourglass"),
    EventType("wait.updated", "UPDATE", "changed how long it waits", icon="hourglass"),
)
