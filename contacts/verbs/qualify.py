"""Qualify leads.

Why: docs/decisions/0003-verbs-in-files.md
"""

from django.db import transaction

from contacts.axes import LIFECYCLE
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def qualify(contacts: RecordQuerySet, *, by: Actor, reason: str = "") -> Outcome:
    """Move leads to Qualified (DESIGN 1.1; guards of source 002: an email, and a score of 40)."""
    return move(lock(contacts, by, bring=LIFECYCLE.field), LIFECYCLE, "qualify", by=by, reason=reason)
