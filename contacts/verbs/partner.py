"""Mark contacts as partners."""

from django.db import transaction

from contacts.axes import LIFECYCLE
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def partner(contacts: RecordQuerySet, *, by: Actor, reason: str = "") -> Outcome:
    """Move contacts to Partner (strategic or integration partner); a reason is required."""
    return move(lock(contacts, by, bring=LIFECYCLE.field), LIFECYCLE, "partner", by=by, reason=reason)
