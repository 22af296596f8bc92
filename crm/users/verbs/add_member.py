"""Add a member to the workspace."""

from django.db import transaction

from audit.record import record
from crm.kit.actor import Actor, Role
from crm.kit.errors import Refused
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.users.models import Membership, Team, User
from crm.users.roles import Right, require


@transaction.atomic
def add_member(user: User, *, role: Role, team: Team | None = None, note: str = "", by: Actor) -> Membership:
    """Add `user` as member; a former one is reactivated with this role and team. `note`: why, for the audit log.

    Raises Refused for a current member.
    """
    require(by, Right.PEOPLE)
    member = Membership.objects.select_for_update().filter(user=user).first() or Membership(user=user)
    if member.pk and member.is_active:
        sentence = _("{member} is already a member of {workspace}.")
        raise Refused(sentence.format(member=user, workspace=workspace()))
    member.role, member.team, member.is_active = role, team, True
    member.save()
    rows = Membership.objects.filter(pk=member.pk)
    record("member.added", rows, by=by, snapshot=("user", "role", "team"), note=note)
    return member
