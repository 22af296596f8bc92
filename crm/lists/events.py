"""Events of saved views and list exports."""

from audit.subjects import register
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("saved_view", "lists.SavedView")
declare(
    EventType("saved_view.created", "CREATE", _("View created"), _("{who} created the view"), icon="bookmark"),
    EventType("saved_view.updated", "UPDATE", _("View changed"), _("{who} changed the view"), icon="bookmark"),
    EventType("saved_view.deleted", "DELETE", _("View deleted"), _("{who} deleted the view"), icon="bookmark-x"),
    EventType(
        "workspace.exported",
        "EXPORT",
        _("List exported"),
        _("{who} exported a list"),
        icon="download",
        category="security",
    ),
)
