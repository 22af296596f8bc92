"""Events of guards, stage definitions and waits."""

from audit.subjects import register
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("guard", "lifecycle.Guard")
register("stage_definition", "lifecycle.StageDefinition")
register("wait", "lifecycle.Wait")
declare(
    EventType(
        "guard.created",
        "CREATE",
        _("Stage requirement created"),
        _("{who} created a stage requirement"),
        icon="shield-check",
        category="security",
    ),
    EventType(
        "guard.updated",
        "UPDATE",
        _("Stage requirement changed"),
        _("{who} changed a stage requirement"),
        icon="shield-check",
        category="security",
    ),
    EventType(
        "stage_definition.created",
        "CREATE",
        _("Stage definition changed"),
        _("{who} changed a stage definition"),
        icon="book-open-check",
    ),
    EventType("wait.created", "WAIT", _("Snoozed"), _("{who} snoozed this record"), icon="hourglass"),
    EventType("wait.updated", "UPDATE", _("Snooze changed"), _("{who} changed the snooze"), icon="hourglass"),
)
