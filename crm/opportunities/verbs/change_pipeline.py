"""Move opportunities to another pipeline."""

from django.db import transaction

from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.opportunities import pipelines
from crm.opportunities.models import StageKind
from crm.opportunities.stage_moves import check_stage, move_stages
from crm.users.visibility import RecordQuerySet


@transaction.atomic
def change_pipeline(opportunities: RecordQuerySet, *, to: str, by: Actor, reason: str = "") -> Outcome:
    """Move open opportunities to the open stage `to` of another pipeline, with its probability.

    Refused: opportunities that are already in its pipeline. Raises Invalid if `to` is no open stage.
    """
    check_stage(to, StageKind.OPEN)
    also = {"pipeline": pipelines.stage(to).pipeline}
    return move_stages(opportunities, "change_pipeline", StageKind.OPEN, by=by, to=to, reason=reason, also=also)
