"""Let somebody who was deactivated work again."""

from django.db import transaction

from crm.kit.actor import Actor
from crm.users.models import Membership
from crm.users.roles import Right, require


@transaction.atomic
def reactivate_member(member: Membership, *, by: Actor) -> Membership:
    """Give the member their access back, with the role and team they had."""
    require(by, Right.PEOPLE)
    member = Membership.objects.select_for_update().get(pk=member.pk)
    member.is_active = True
    member.save(update_fields=["is_active"])
    return member
