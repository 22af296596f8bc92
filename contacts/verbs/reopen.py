"""Reopen lost or churned contacts."""

from django.db import transaction

from contacts.axes import LIFECYCLE
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def reopen(contacts: RecordQuerySet, *, by: Actor, reason: str = "") -> Outcome:
    """Move lost or churned contacts back to Lead; for managers, with a reason."""
    return move(lock(contacts, by, bring=LIFECYCLE.field), LIFECYCLE, "reopen", by=by, reason=reason)
