"""The bell and its settings in the page frame."""

from crm.kit import nav
from crm.kit.nav import NavItem
from crm.kit.translation import gettext_lazy as _
from crm.notifications.inbox import unread

nav.register_fact("unread", unread)
nav.register(NavItem(_("Notifications"), "notification_settings", "bell", 15, nav.YOU))
