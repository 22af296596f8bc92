"""Change what a member may do."""

from django.db import transaction

from crm.kit.actor import Actor, Role
from crm.users.guards import keep_an_admin
from crm.users.models import Membership
from crm.users.roles import Right, require


@transaction.atomic
def change_role(member: Membership, role: Role, *, by: Actor) -> Membership:
    """Give the member `role`, from their next request on. Raises Refused for the only admin."""
    require(by, Right.PEOPLE)
    if role != Role.ADMIN:
        keep_an_admin(member)
    member = Membership.objects.select_for_update().get(pk=member.pk)
    member.role = role
    member.save(update_fields=["role"])
    return member
