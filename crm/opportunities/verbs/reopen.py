"""Reopen won or lost opportunities."""

from django.db import transaction

from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.opportunities.models import StageKind
from crm.opportunities.stage_moves import move_stages
from crm.users.visibility import RecordQuerySet

AGAIN = {"won_at": None, "lost_at": None, "lost_reason": ""}


@transaction.atomic
def reopen(opportunities: RecordQuerySet, *, by: Actor, reason: str = "", to: str = "") -> Outcome:
    """Move won or lost opportunities back to the open stage `to`, or the last of their pipeline; for managers.

    The contact keeps its stage: a past buyer is a customer. To correct a mistake, undo it instead. Raises Invalid
    without a reason, or if `to` is no open stage.
    """
    return move_stages(opportunities, "reopen", StageKind.OPEN, by=by, to=to, reason=reason, also=AGAIN)
