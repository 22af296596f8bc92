"""Mark customers as churned."""

from django.db import transaction

from contacts.axes import LIFECYCLE
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def churn(contacts: RecordQuerySet, *, by: Actor, reason: str = "") -> Outcome:
    """Move customers to Churned."""
    return move(lock(contacts, by, bring=LIFECYCLE.field), LIFECYCLE, "churn", by=by, reason=reason)
