"""Qualify leads manually, above their score."""

from datetime import timedelta

from django.db import transaction

from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.move import move
from crm.opportunities.contacts import lock_contacts
from crm.users.visibility import Locked, RecordQuerySet, lock
from leads.axes import BY_SCORE, OPEN, STAGE
from leads.models import Lead
from leads.staging import LeadRow, follow

BACKWARD = _("Cannot move to previous or same stage")  # source 003, Forward-Only Stage Progression
FLOOR = timedelta(days=14)


@transaction.atomic
def qualify(leads: RecordQuerySet, *, to: str, by: Actor, reason: str = "") -> Outcome:
    """Move open leads forward to stage `to`, at most Sales Qualified, with a reason.

    For 14 days the stage is a floor against a lower score (DESIGN 1.2); then the score decides again. Raises Invalid
    for another stage or a missing reason.
    """
    if to not in BY_SCORE[1:]:
        stages = ", ".join(str(STAGE.value(value).label) for value in BY_SCORE[1:])
        raise Invalid({"to": gettext("Choose one of these stages: {stages}.").format(stages=stages)})
    lock_contacts(leads.order_by().values_list("contact", flat=True))
    locked = lock(leads, by)
    found = _refuse(locked, to)
    floor = {"floor_stage": to, "floor_until": clock.now() + FLOOR, "floor_reason": reason.strip()}
    outcome = move(locked, STAGE, "qualify", by=by, to=to, reason=reason, also=floor)
    done = set(outcome.done)
    follow([lead for lead in found if lead.pk in done], by=by)
    return outcome


def _refuse(locked: Locked, to: str) -> list[LeadRow]:
    """Refuse leads that are closed or already at the stage; return all with current values."""
    rows = Lead.objects.filter(pk__any_of=locked.ids).values_list("pk", "contact", "status", "stage")
    found = [LeadRow(pk, contact, status, stage, to) for pk, contact, status, stage in rows]
    for lead in found:
        if lead.status not in OPEN and lead.status != "converted":
            locked.outcome.refuse([lead.pk], gettext("Lost leads can’t be qualified. Reactivate the lead first."))
        elif STAGES.index(to) <= STAGES.index(lead.stage):
            locked.outcome.refuse([lead.pk], str(BACKWARD))
    return found


STAGES = [choice.value for choice in STAGE.values]
