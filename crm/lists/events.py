"""What can happen to saved views, and by exporting a list."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("saved_view", "lists.SavedView")
declare(
    EventType("saved_view.created", "CREATE", "saved the view", icon="bookmark"),
    EventType("saved_view.updated", "UPDATE", "changed the view", icon="bookmark"),
    EventType("saved_view.deleted", "DELETE", "deleted the view", icon="bookmark-x"),
    EventType("workspace.exported", "EXPORT", "exported a list", icon="download", category="security"),
)
