from django.apps import AppConfig

from crm.kit import nav
from crm.kit.nav import NavItem


class NotificationsConfig(AppConfig):
    name = "crm.notifications"
    label = "notifications"

    def ready(self):
        """Listen to what may concern somebody, and put the bell and its settings into the frame."""
        from crm.events.reactions import react
        from crm.lists.imports.registry import on_end
        from crm.notifications import events, handlers, jobs  # noqa: F401
        from crm.notifications.assigned import tell_assigned, tell_imported
        from crm.notifications.inbox import unread
        from crm.notifications.leads import tell_overdue, tell_sales_qualified
        from crm.notifications.mentioned import tell_mentioned

        for event in (
            "contact.created",
            "contact.captured",
            "contact.assigned",
            "company.created",
            "company.assigned",
            "lead.created",
            "lead.assigned",
        ):
            react(event, tell_assigned)
        react("lead.synced", tell_sales_qualified)
        react("lead.overdue", tell_overdue)
        for event in ("activity.logged", "activity.planned", "activity.updated"):
            react(event, tell_mentioned)
        on_end(tell_imported)
        nav.register_fact("unread", unread)
        nav.register(NavItem("Notifications", "notification_settings", "bell", 15, nav.SETTINGS))
