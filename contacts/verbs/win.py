"""Mark qualified contacts as won."""

from django.db import transaction

from contacts.axes import LIFECYCLE
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def win(contacts: RecordQuerySet, *, by: Actor, reason: str = "") -> Outcome:
    """Move qualified contacts to Customer: they signed, paid or converted."""
    return move(lock(contacts, by, bring=LIFECYCLE.field), LIFECYCLE, "win", by=by, reason=reason)
