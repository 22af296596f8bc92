"""Reactivate a member."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit.actor import Actor
from crm.users.models import Membership
from crm.users.roles import Right, require


@transaction.atomic
def reactivate_member(member: Membership, *, by: Actor) -> Membership:
    """Restore the member's access, with the role and team they had."""
    require(by, Right.PEOPLE)
    rows = Membership.objects.filter(pk=member.pk)
    update_and_record("member.reactivated", rows, {"is_active": True}, by=by)
    return rows.get()
