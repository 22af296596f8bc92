"""Mark prospects as lost."""

from django.db import transaction

from contacts.axes import LIFECYCLE
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def lose(contacts: RecordQuerySet, *, by: Actor, reason: str = "") -> Outcome:
    """Move leads and qualified contacts to Lost; a missing `reason` is an exception to review."""
    return move(lock(contacts, by, bring=LIFECYCLE.field), LIFECYCLE, "lose", by=by, reason=reason)
