"""What can happen to guards."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("guard", "lifecycle.Guard")
declare(
    EventType("guard.created", "CREATE", "made a guard", icon="shield-check", category="security"),
    EventType("guard.updated", "UPDATE", "changed a guard", icon="shield-check", category="security"),
)
