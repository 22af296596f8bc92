"""Mark leads as lost."""

from django.db import transaction

from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock
from leads.axes import STATUS


@transaction.atomic
def lose_leads(leads: RecordQuerySet, *, by: Actor, reason: str = "") -> Outcome:
    """Move open leads to Lost, with an optional reason (source 003, Loss Event); contacts are unchanged."""
    also = {"lost_date": clock.now(), "lost_reason": reason.strip()}
    return move(lock(leads, by, bring=STATUS.field), STATUS, "lose", by=by, reason=reason, also=also)
