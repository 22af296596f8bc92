"""Change a member's role."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit.actor import Actor, Role
from crm.users.guards import keep_an_admin
from crm.users.models import Membership
from crm.users.roles import Right, require


@transaction.atomic
def change_role(member: Membership, role: Role, *, by: Actor) -> Membership:
    """Set the member's role, effective on their next request. Raises Refused for the only admin."""
    require(by, Right.PEOPLE)
    if role != Role.ADMIN:
        keep_an_admin(member)
    rows = Membership.objects.filter(pk=member.pk)
    update_and_record("member.role_changed", rows, {"role": role}, by=by)
    return rows.get()
