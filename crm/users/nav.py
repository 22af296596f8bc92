"""The settings pages in the frame."""

from crm.events.health import overdue_deliveries
from crm.kit import nav
from crm.kit.nav import NavItem
from crm.kit.translation import gettext_lazy as _
from crm.users.roles import LOWEST_ROLE, Right

PEOPLE, TEAMS = LOWEST_ROLE[Right.PEOPLE], LOWEST_ROLE[Right.TEAMS]
WORKSPACE, ADMIN = LOWEST_ROLE[Right.WORKSPACE], LOWEST_ROLE[Right.ADMIN_SITE]

for item in (
    NavItem(_("Profile"), "profile", "circle-user-round", 10, nav.YOU),
    NavItem(_("Security"), "security", "shield-check", 20, nav.YOU),
    NavItem(_("Members"), "people", "users-round", 30, nav.WORKSPACE, role=PEOPLE),
    NavItem(_("Teams"), "teams", "network", 40, nav.WORKSPACE, role=TEAMS),
    NavItem(_("Workspace"), "workspace", "building-2", 25, nav.WORKSPACE, role=WORKSPACE),
    NavItem(_("Sign-in"), "sign_in_settings", "key-round", 55, nav.SECURITY, role=WORKSPACE),
    NavItem(
        _("Background jobs"),
        "admin:events_delivery_changelist",
        "inbox",
        80,
        nav.AUTOMATION,
        count=overdue_deliveries,
        role=ADMIN,
    ),
    NavItem(_("Admin console"), "admin:index", "wrench", 90, nav.SECURITY, role=ADMIN),
):
    nav.register(item)
