"""Set a contact's reachability."""

from django.db import transaction

from contacts.axes import STATUS
from contacts.suppression import status_refusals
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def set_status(contacts: RecordQuerySet, to: str, *, by: Actor, reason: str = "") -> Outcome:
    """Move contacts to status `to`: active, inactive, bounced or unsubscribed (source 002, Status Values).

    Unsubscribed and Bounced suppress the contact's address. Refused: contacts with a suppressed address.
    """
    if to not in {choice.value for choice in STATUS.values}:
        raise Invalid({"status": _("“{status}” isn’t a contact status.").format(status=to)})
    locked = lock(contacts, by, bring=STATUS.field)
    for rows in locked.batches():
        locked.outcome.refused |= status_refusals(rows, to)
    return move(locked, STATUS, "set_status", by=by, to=to, reason=reason)
