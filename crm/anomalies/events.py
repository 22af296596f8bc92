"""Events of waivers. Findings are computed from records and have no history."""

from audit.subjects import register
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("waiver", "exceptions.Waiver")
declare(
    EventType(
        "waiver.created", "WAIVE", _("Exception dismissed"), _("{who} dismissed an exception"), icon="shield-check"
    ),
    EventType("waiver.ended", "UPDATE", _("Exception reopened"), _("{who} reopened an exception"), icon="shield-x"),
)
