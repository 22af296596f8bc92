"""Take an invitation back."""

from django.db import transaction

from audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.models import Invitation
from crm.users.roles import Right, require


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, by: Actor) -> None:
    """End the invitation: its link stops working. Raises Refused when it was accepted meanwhile."""
    require(by, Right.PEOPLE)
    waiting = Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=True)
    if not record("invitation.withdrawn", waiting, by=by, note=invitation.email):
        raise Refused(_("{email} has already accepted the invitation.").format(email=invitation.email))
    waiting.delete()
