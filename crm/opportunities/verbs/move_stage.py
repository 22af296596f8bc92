"""Move opportunities between open stages."""

from django.db import transaction

from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.opportunities.models import StageKind
from crm.opportunities.stage_moves import move_stages
from crm.users.visibility import RecordQuerySet


@transaction.atomic
def move_stage(opportunities: RecordQuerySet, *, to: str, by: Actor, reason: str = "") -> Outcome:
    """Move open opportunities forward or back to the open stage `to` of their pipeline, with its probability.

    Refused: opportunities of another pipeline. Raises Invalid for a closed stage: winning and losing have their verbs.
    """
    return move_stages(opportunities, "move_stage", StageKind.OPEN, by=by, to=to, reason=reason)
