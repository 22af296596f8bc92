"""A user's open workspace, the same in all their browsers, except in sessions that an issuer limits to one."""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Q
from django.http import HttpRequest

from crm.kit.actor import Role
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.models import IdentityProvider, Membership, User

# In the session: 0 after a sign-in with the installation's issuer, otherwise the workspace whose issuer it was.
THROUGH = "signed_in_through"
INSTALLATION = 0


def workspace_of_session(request: HttpRequest) -> int | None:
    """Return the only workspace that the session opens, or INSTALLATION; None after a local sign-in."""
    return request.session.get(THROUGH)


def may_open(member: Membership, through: int | None) -> bool:
    """Return whether a session opens the member's workspace: it may require its issuer, or the session be limited."""
    if through:
        return member.workspace_id == through
    if not member.workspace.require_provider:
        return True
    if through is None:
        return member.role == Role.ADMIN and member == emergency_admin(member.workspace_id)
    return IdentityProvider.objects.unscoped().filter(workspace_id=member.workspace_id, issuer="").exists()


def admins_with_password(workspace_id: int):
    """Return the admins who can sign in without the issuer, the longest-standing first."""
    admins = Membership.objects.unscoped().filter(workspace_id=workspace_id, user__is_active=True).admins()
    unusable = Q(user__password="") | Q(user__password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return admins.exclude(unusable).order_by("pk")


def emergency_admin(workspace_id: int) -> Membership | None:
    """Return the one member who keeps the password where an issuer is required, in case that it fails."""
    return admins_with_password(workspace_id).select_related("user").first()


def memberships_of(user: User):
    """Return the user's active memberships by workspace name."""
    return (
        Membership.objects.unscoped()
        .filter(user=user, is_active=True)
        .select_related("workspace", "team")
        .order_by("workspace__name", "pk")
    )


def open_membership(user: User, through: int | None) -> Membership | None:
    """Return the user's current membership: the chosen one, otherwise another that the session opens.

    It is then stored, except by a limited session, which would move the user's other browsers.
    """
    if user.membership and user.membership.is_active and may_open(user.membership, through):
        return user.membership
    member = next((member for member in memberships_of(user) if may_open(member, through)), None)
    if member and not through:
        _keep(user, member)
    return member


def remembered_membership(user: User, through: int | None = None) -> Membership | None:
    """Return the membership to speak of to a user who isn't signed in, without storing it."""
    mine = memberships_of(user).filter(workspace=through) if through else memberships_of(user)
    member = mine.filter(pk=user.membership_id).first() or mine.first()
    if member:
        member.user = user
    return member


def member_in(user: User, slug: str) -> Membership:
    """Return the user's membership in the workspace called `slug`. Raises Refused without an active one."""
    member = memberships_of(user).filter(workspace__slug=slug).first()
    if member is None:
        raise Refused(_("You aren’t a member of that workspace."))
    return member


def switch_workspace(user: User, slug: str, through: int | None = None) -> Membership:
    """Open the workspace called `slug`. Raises Refused without an active membership, or if the session may not."""
    member = member_in(user, slug)
    if not may_open(member, through):
        sentence = _("You’re signed in to another workspace. Sign out, then sign in to {workspace}.")
        raise Refused(sentence.format(workspace=member.workspace))
    _keep(user, member)
    return member


def _keep(user: User, member: Membership) -> None:
    User.objects.filter(pk=user.pk).update(membership=member)
    member.user, user.membership = user, member
