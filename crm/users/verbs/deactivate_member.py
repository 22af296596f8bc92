"""Deactivate a member."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit.actor import Actor
from crm.users.guards import keep_an_admin
from crm.users.models import Membership
from crm.users.roles import Right, require


@transaction.atomic
def deactivate_member(member: Membership, *, by: Actor) -> Membership:
    """Revoke the member's access, in every browser, from their next request on; they keep their records.

    Raises Refused for the only admin.
    """
    require(by, Right.PEOPLE)
    keep_an_admin(member)
    rows = Membership.objects.filter(pk=member.pk)
    update_and_record("member.deactivated", rows, {"is_active": False}, by=by)
    return rows.get()
