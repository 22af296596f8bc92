"""A rep's deals on My day: those in progress that stand still."""

from datetime import timedelta

from django.db.models import F, Q
from django.utils.http import urlencode

from contacts.day import DayLine, Section, register
from crm.entities.values import zone
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.kit.text import counted
from crm.lifecycle.condition_fields import waits
from crm.opportunities.axes import OPEN
from crm.opportunities.models import Opportunity

STILL = 14  # days at a stage
SHOWN = 8
WHERE = (
    f"owner = me and stage in ({', '.join(OPEN)}) and waiting = no and "
    f"(next_step is empty or close_date < today or stage_since > {STILL} days ago)"
)


def stale(by: Actor) -> list[DayLine]:
    """The actor's deals without a next step, past their close date, or long at a stage; those that wait left out."""
    now = clock.now()
    still = Q(next_step="") | Q(close_date__lt=_today()) | Q(stage_since__lt=now - timedelta(days=STILL))
    rows = Opportunity.objects.open().filter(still, ~Q(waits("opportunity")), owner=by.member_id)
    found = rows.order_by(F("close_date").asc(nulls_last=True), "pk")[:SHOWN]
    return [DayLine(deal.name, deal.get_absolute_url(), _why(deal), "Set the next step") for deal in found]


def _today():
    return clock.now().astimezone(zone()).date()


def _why(deal: Opportunity) -> str:
    said = ["no next step"] if not deal.next_step else []
    if deal.close_date and deal.close_date < _today():
        said.append(f"was to close on {formats.day_of_year(deal.close_date)}")
    days = (clock.now() - deal.stage_since).days
    if days >= STILL:
        said.append(f"{counted(days, 'days')} at {deal.stage_shown.label}")
    return ", ".join(said)


register(Section("Deals that stand still", stale, f"/opportunity?{urlencode({'view': 'my_open', 'where': WHERE})}"))
