"""End somebody's work in the workspace."""

from django.db import transaction

from crm.kit.actor import Actor
from crm.users.guards import keep_an_admin
from crm.users.models import Membership
from crm.users.roles import Right, require


@transaction.atomic
def deactivate_member(member: Membership, *, by: Actor) -> Membership:
    """Take the member's access away, in every browser, from their next request on; what they own stays theirs.

    Raises Refused for the only admin.
    """
    require(by, Right.PEOPLE)
    keep_an_admin(member)
    member = Membership.objects.select_for_update().get(pk=member.pk)
    member.is_active = False
    member.save(update_fields=["is_active"])
    return member
