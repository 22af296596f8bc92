"""A user's open workspace, the same in all their browsers."""

from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.models import Membership, User


def memberships_of(user: User):
    """Return the user's active memberships by workspace name."""
    return (
        Membership.objects.unscoped()
        .filter(user=user, is_active=True)
        .select_related("workspace", "team")
        .order_by("workspace__name", "pk")
    )


def open_membership(user: User) -> Membership | None:
    """Return the user's current membership: the chosen one, otherwise another, which is then stored."""
    if user.membership and user.membership.is_active:
        return user.membership
    member = memberships_of(user).first()
    if member:
        _keep(user, member)
    return member


def remembered_membership(user: User) -> Membership | None:
    """Return the result of open_membership() for a user not signed in, without storing it."""
    mine = memberships_of(user)
    member = mine.filter(pk=user.membership_id).first() or mine.first()
    if member:
        member.user = user
    return member


def switch_workspace(user: User, slug: str) -> Membership:
    """Open the workspace called `slug`. Raises Refused without an active membership."""
    member = memberships_of(user).filter(workspace__slug=slug).first()
    if member is None:
        raise Refused(_("You aren’t a member of that workspace."))
    _keep(user, member)
    return member


def _keep(user: User, member: Membership) -> None:
    User.objects.filter(pk=user.pk).update(membership=member)
    member.user, user.membership = user, member
