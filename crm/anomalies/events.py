"""What can happen to waivers. Findings are worked out from the records, and have no history of their own."""

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
