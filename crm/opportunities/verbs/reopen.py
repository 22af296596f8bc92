"""Reopen won or lost opportunities."""

from django.db import transaction

from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.move import move
from crm.opportunities.axes import OPEN, PROBABILITY, STAGE
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def reopen(opportunities: RecordQuerySet, *, by: Actor, reason: str = "", to: str = "negotiation") -> Outcome:
    """Move won or lost opportunities back to the open stage `to`; for managers, with a reason.

    The contact keeps its stage: a past buyer is a customer. To correct a mistake, undo it instead.
    """
    if to not in OPEN:
        raise Invalid({"to": _("Choose {stages}.").format(stages=STAGE.names(OPEN))})
    also = {"won_at": None, "lost_at": None, "lost_reason": "", "probability": PROBABILITY[to]}
    return move(lock(opportunities, by, bring=STAGE.field), STAGE, "reopen", by=by, to=to, reason=reason, also=also)
