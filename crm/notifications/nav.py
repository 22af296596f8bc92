"""The bell and its settings in the frame of every page."""

from crm.kit import nav
from crm.kit.nav import NavItem
from crm.notifications.inbox import unread

nav.register_fact("unread", unread)
nav.register(NavItem("Notifications", "notification_settings", "bell", 15, nav.SETTINGS))
