"""Users, workspaces, memberships and invitations."""

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models, transaction
from django.db.models.functions import Lower

from crm.kit.actor import Actor, Channel, Role
from crm.kit.clock import now
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.translation import gettext_lazy as _

ROLES = [(role.value, role.label) for role in Role]


class Workspace(models.Model):
    """One customer's CRM, isolated from other workspaces."""

    slug = models.SlugField(_("slug"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    # ISO 3166 alpha-2: of phone numbers without a country code. Empty if unknown.
    country = models.CharField(_("country"), max_length=2, blank=True, db_default="")
    language = models.CharField(_("language"), max_length=5, default="en", db_default="en")
    # Formats: empty for the language's default.
    formats = models.CharField(_("dates and numbers"), max_length=5, blank=True, db_default="")
    require_mfa = models.BooleanField(_("two-factor authentication required"), default=False)
    # Members need a session of the workspace's IdentityProvider: crm.users.workspaces
    require_provider = models.BooleanField(_("sign-in provider required"), default=False, db_default=False)
    # Changed with custom fields and guards, to invalidate what processes compiled from them.
    schema_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")

    def __str__(self):
        return self.name


class UserManager(BaseUserManager):
    """Users are identified by email address."""

    use_in_migrations = True

    def create_user(self, email, password=None, **fields):
        """Create a user with `email` (case-insensitive) and a hashed password; None disables sign-in until one is set.

        The address counts as verified: accounts are created by an operator, or through an emailed link.
        """
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email, password=None, **fields):
        """Create an operator, who sees every workspace in the Django admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class Theme(models.TextChoices):
    """A user's color theme."""

    AUTO = "auto", _("System")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):
    """A person who signs in by email. Their rights come from a Membership."""

    username = None
    first_name = None
    last_name = None
    email = models.EmailField(_("email address"), max_length=254, unique=True)  # always lower case
    name = models.CharField(_("name"), max_length=120, blank=True)
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, default=Theme.AUTO)
    # Time zone and language: empty for the workspace's. Formats: empty for the language's default.
    timezone = models.CharField(_("time zone"), max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=5, blank=True, db_default="")
    formats = models.CharField(_("dates and numbers"), max_length=5, blank=True, db_default="")
    shortcuts = models.BooleanField(_("single-key shortcuts"), default=True, db_default=True)
    # The user's open workspace, the same in all browsers: forms of another one get a 409.
    membership = models.ForeignKey(
        "users.Membership", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []
    objects = UserManager()

    def __str__(self):
        return self.name or self.email

    def get_full_name(self):
        return str(self)

    def get_short_name(self):
        return str(self).split()[0]


class Owned(models.Model):
    """A row of one workspace, accessible only with that workspace in scope."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    objects = WorkspaceManager()

    class Meta:
        abstract = True
        # save(), refresh_from_db() and foreign keys use the scoped manager too.
        base_manager_name = "objects"


class TeamQuerySet(WorkspaceQuerySet):
    """Teams of the workspace in scope."""

    def live(self):
        return self.filter(archived_at__isnull=True)


class TeamManager(WorkspaceManager.from_queryset(TeamQuerySet)):  # type: ignore[misc]
    """`objects` of teams."""


class Team(Owned):
    """A group in a workspace: a record with a team is visible to that team. An archived one has no members or records,
    and names them in their history."""

    name = models.CharField(_("name"), max_length=80)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    objects = TeamManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [models.UniqueConstraint("workspace", Lower("name"), name="team_name_unique")]

    def __str__(self):
        return self.name


class MembershipQuerySet(WorkspaceQuerySet):
    """Members of the workspace in scope."""

    def active(self):
        return self.filter(is_active=True)

    def admins(self):
        return self.active().filter(role=Role.ADMIN)


class MembershipManager(WorkspaceManager.from_queryset(MembershipQuerySet)):  # type: ignore[misc]
    """`objects` of memberships."""


class Membership(Owned):
    """A user's role, team and state in a workspace. Owners and actors are memberships."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("user"))
    role = models.CharField(_("role"), max_length=10, choices=ROLES, default=Role.REP)
    team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="members", verbose_name=_("team")
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    objects = MembershipManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [models.UniqueConstraint("workspace", "user", name="membership_once")]

    def __str__(self):
        return str(self.user)

    def actor(self, channel: Channel) -> Actor:
        """Return the member as actor of one action through `channel`."""
        return Actor(self.workspace_id, self.pk, Role(self.role), channel, self.team_id, str(self.user))


INVITATION_LIFETIME = timedelta(days=7)


class Invitation(Owned):
    """An invitation of an address to a workspace. The emailed token accepts it; only its hash is stored."""

    email = models.EmailField(_("email address"), max_length=254)  # always lower case
    role = models.CharField(_("role"), max_length=10, choices=ROLES, default=Role.REP)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("team"))
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    invited_by = models.ForeignKey(
        Membership, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("invited by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=models.Q(accepted_at__isnull=True),
                name="invitation_open_once",
            )
        ]

    def __str__(self):
        return self.email

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.expires_at > now()

    def renew_token(self) -> str:
        """Set a new token of 256 random bits, valid for a week; return the token, which is not stored."""
        token = secrets.token_urlsafe(32)
        self.token_hash = hash_token(token)
        self.expires_at = now() + INVITATION_LIFETIME
        return token


def hash_token(token: str) -> str:
    """Return the stored hash of an invitation's token: SHA-256, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


class IdentityProvider(Owned):
    """How members sign in with OpenID Connect: the workspace's own issuer or, if `issuer` is blank, the installation's.

    Why: docs/decisions/0077-a-provider-speaks-for-its-workspace.md
    """

    # In the address where members sign in and in the redirect URI. Not guessable: it tells nobody of the workspace.
    public_id = models.CharField(max_length=20, unique=True, editable=False)
    is_on = models.BooleanField(_("on"), default=False)
    name = models.CharField(_("name"), max_length=40, blank=True)
    issuer = models.CharField(_("issuer"), max_length=300, blank=True)
    client_id = models.CharField(_("client ID"), max_length=190, blank=True)
    secret = models.TextField(_("client secret"), blank=True)  # encrypted: crm.users.encryption
    domains = models.JSONField(_("email domains"), default=list)  # lower case
    join_role = models.CharField(_("role"), max_length=10, choices=ROLES, blank=True)  # blank: by invitation only
    join_team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("team")
    )

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("sign-in provider")
        verbose_name_plural = _("sign-in providers")
        constraints = [models.UniqueConstraint(fields=["workspace"], name="identity_provider_once")]

    def __str__(self):
        return self.name or self.public_id


class Submission(Owned):
    """A submitted form by its one-time key, written in its change's transaction.

    `change` leads to the result; `url` is for results without a change.
    """

    key = models.CharField(max_length=64)
    change = models.UUIDField()
    url = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="submission_once")]
        indexes = [models.Index(fields=["at"], name="submission_at")]

    def __str__(self):
        return self.key
