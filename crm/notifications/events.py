"""What can happen to a member's choices. Notifications themselves are told to handlers, but not audited."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("preference", "notifications.Preference")
declare(
    EventType("preference.updated", "UPDATE", "chose what to be told of", icon="bell"),
    EventType("notification.made", "", "was told"),
    EventType("digest.made", "", "was told of the day"),
)
