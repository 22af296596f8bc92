from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.db.models.signals import post_migrate

from crm.kit import nav
from crm.kit.nav import NavItem


class UsersConfig(AppConfig):
    name = "crm.users"
    label = "users"

    def ready(self):
        """Put the settings pages into the frame; have links between workspaces refused and sign-ins recorded."""
        from crm.events.health import overdue
        from crm.users import events, jobs  # noqa: F401
        from crm.users.integrity import protect_links
        from crm.users.roles import LOWEST_ROLE, Right
        from crm.users.sign_ins import listen

        post_migrate.connect(protect_links, sender=self)
        listen()

        for item in (
            NavItem("Profile", "profile", "circle-user-round", 10, nav.SETTINGS),
            NavItem("Security", "security", "shield-check", 20, nav.SETTINGS),
            NavItem("People", "people", "users-round", 30, nav.SETTINGS, role=LOWEST_ROLE[Right.PEOPLE]),
            NavItem("Teams", "teams", "network", 40, nav.SETTINGS, role=LOWEST_ROLE[Right.TEAMS]),
            NavItem("Workspace", "workspace", "building-2", 50, nav.SETTINGS, role=LOWEST_ROLE[Right.WORKSPACE]),
            NavItem(
                "Events",
                "admin:events_delivery_changelist",
                "inbox",
                80,
                nav.SETTINGS,
                count=overdue,
                role=LOWEST_ROLE[Right.ADMIN_SITE],
            ),
            NavItem("Admin pages", "admin:index", "wrench", 90, nav.SETTINGS, role=LOWEST_ROLE[Right.ADMIN_SITE]),
        ):
            nav.register(item)


class WorkspaceAdminConfig(admin.AdminConfig):
    """The Django admin, with our rules of who gets in."""

    default = False
    default_site = "crm.users.admin_site.WorkspaceAdminSite"

    def ready(self):
        """Find the admin classes, less what is nobody's business there.

        Roles stand in for Django's groups. Addresses, sessions and the secrets of second factors (which allauth would
        show) are the person's own, on their security page.
        """
        super().ready()
        from allauth.account.models import EmailAddress
        from allauth.mfa.models import Authenticator
        from allauth.usersessions.models import UserSession
        from django.contrib.admin import site
        from django.contrib.auth.models import Group

        site.unregister([Group, EmailAddress, Authenticator, UserSession])
