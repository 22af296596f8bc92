"""Events of members' preferences. Notifications themselves have handlers, but no audit entries."""

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
