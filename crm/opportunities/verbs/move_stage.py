"""Move opportunities between open stages."""

from django.db import transaction

from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.move import move
from crm.opportunities.axes import OPEN, PROBABILITY, STAGE
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def move_stage(opportunities: RecordQuerySet, *, to: str, by: Actor, reason: str = "") -> Outcome:
    """Move open opportunities forward or back to the open stage `to`, with its probability.

    Raises Invalid for a closed stage: winning and losing have their own verbs.
    """
    if to not in OPEN:
        raise Invalid({"to": _("Choose {stages}.").format(stages=STAGE.names(OPEN))})
    return move(
        lock(opportunities, by, bring=STAGE.field),
        STAGE,
        "move_stage",
        by=by,
        to=to,
        reason=reason,
        also={"probability": PROBABILITY[to]},
    )
