from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.db.models.signals import post_migrate

from crm.kit.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "crm.users"
    label = "users"
    verbose_name = _("Members")

    def ready(self):
        """Install the checks on links between workspaces, and record sign-ins."""
        from crm.users.integrity import protect_links
        from crm.users.sign_ins import listen

        post_migrate.connect(protect_links, sender=self)
        listen()


class WorkspaceAdminConfig(admin.AdminConfig):
    """The Django admin, with our access rules."""

    default = False
    default_site = "crm.users.admin_site.WorkspaceAdminSite"

    def ready(self):
        """Discover admin classes, without private ones.

        Roles replace Django's groups. Addresses, sessions and 2FA secrets (which allauth would show) are private, on
        the user's security page.
        """
        super().ready()
        from allauth.account.models import EmailAddress
        from allauth.mfa.models import Authenticator
        from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
        from allauth.usersessions.models import UserSession
        from django.contrib.admin import site
        from django.contrib.auth.models import Group

        site.unregister([Group, EmailAddress, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken])
