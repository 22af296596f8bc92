"""A rep's stalled opportunities on My day."""

from datetime import timedelta

from django.db.models import F, Q
from django.utils.http import urlencode

from contacts.day import DayLine, Section, register
from crm.entities.values import zone
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.condition_fields import waits
from crm.opportunities.axes import STAGE
from crm.opportunities.models import Opportunity

STILL = 14  # days at a stage
SHOWN = 8
WHERE = (
    "owner = me and stage_kind = open and waiting = no and "  # not a text
    f"(next_step is empty or close_date < today or stage_since > {STILL} days ago)"  # not a text
)


def stale(by: Actor) -> list[DayLine]:
    """Return the actor's opportunities without a next step, overdue, or long at a stage, except snoozed ones."""
    now = clock.now()
    still = Q(next_step="") | Q(close_date__lt=_today()) | Q(stage_since__lt=now - timedelta(days=STILL))
    rows = Opportunity.objects.open().filter(still, ~Q(waits("opportunity")), owner=by.member_id)
    found = rows.order_by(F("close_date").asc(nulls_last=True), "pk")[:SHOWN]
    return [DayLine(deal.name, deal.get_absolute_url(), _why(deal), gettext("Set next step")) for deal in found]


def _today():
    return clock.now().astimezone(zone()).date()


def _why(deal: Opportunity) -> str:
    said = [gettext("No next step")] if not deal.next_step else []
    if deal.close_date and deal.close_date < _today():
        said.append(gettext("Close date was {day}").format(day=formats.day_of_year(deal.close_date)))
    days = (clock.now() - deal.stage_since).days
    if days >= STILL:
        text = ngettext("{count} day in {stage}", "{count} days in {stage}", days)
        said.append(text.format(count=formats.number(days), stage=STAGE.value(deal.stage).label))
    return " · ".join(said)


register(Section(_("Stalled opportunities"), stale, f"/opportunity?{urlencode({'view': 'my_open', 'where': WHERE})}"))
