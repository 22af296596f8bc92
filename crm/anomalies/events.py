"""What can happen to waivers. Findings are worked out from the records, and have no history of their own."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("waiver", "exceptions.Waiver")
declare(
    EventType("waiver.created", "WAIVE", "waived an exception", icon="shield-check"),
    EventType("waiver.ended", "UPDATE", "ended the waiver of an exception", icon="shield-x"),
)
