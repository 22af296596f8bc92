"""Which workspace a person has open. It is one for all their browsers."""

from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.models import Membership, User


def memberships_of(user: User):
    """The person's active memberships in all workspaces, by name of the workspace."""
    return (
        Membership.objects.unscoped()
        .filter(user=user, is_active=True)
        .select_related("workspace", "team")
        .order_by("workspace__name", "pk")
    )


def open_membership(user: User) -> Membership | None:
    """The membership a person works under now: the one they chose, else another of theirs, which is then kept."""
    if user.membership and user.membership.is_active:
        return user.membership
    member = memberships_of(user).first()
    if member:
        _keep(user, member)
    return member


def remembered_membership(user: User) -> Membership | None:
    """The membership that open_membership() would give, for somebody who is not signed in: nothing is kept."""
    mine = memberships_of(user)
    member = mine.filter(pk=user.membership_id).first() or mine.first()
    if member:
        member.user = user
    return member


def switch_workspace(user: User, slug: str) -> Membership:
    """Open the workspace called `slug`. Raises Refused when the person is not an active member of it."""
    member = memberships_of(user).filter(workspace__slug=slug).first()
    if member is None:
        raise Refused(_("You aren’t a member of that workspace."))
    _keep(user, member)
    return member


def _keep(user: User, member: Membership) -> None:
    User.objects.filter(pk=user.pk).update(membership=member)
    member.user, user.membership = user, member
