from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.db.models.signals import post_migrate

from crm.kit.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "crm.users"
    label = "users"
    verbose_name = _("Members")

    def ready(self):
        """Have links between workspaces refused, and sign-ins recorded."""
        from crm.users.integrity import protect_links
        from crm.users.sign_ins import listen

        post_migrate.connect(protect_links, sender=self)
        listen()


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
