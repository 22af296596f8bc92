"""What can happen to a member's choices. Notifications themselves are told to handlers, but not audited."""

from audit.subjects import register
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("preference", "notifications.Preference")
declare(
    EventType(
        "preference.updated",
        "UPDATE",
        _("Notification settings changed"),
        _("{who} changed their notification settings"),
        icon="bell",
    ),
    EventType("notification.made", "", _("Notification created")),
    EventType("digest.made", "", _("Digest created")),
)
