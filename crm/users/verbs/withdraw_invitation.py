"""Withdraw an invitation."""

from django.db import transaction

from audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.models import Invitation
from crm.users.roles import Right, require


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, by: Actor) -> None:
    """Invalidate the invitation's link. Raises Refused if it was already accepted."""
    require(by, Right.PEOPLE)
    waiting = Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=True)
    if not record("invitation.withdrawn", waiting, by=by, note=invitation.email):
        raise Refused(_("{email} has already accepted the invitation.").format(email=invitation.email))
    waiting.delete()
