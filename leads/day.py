"""A rep's leads on My day: overdue first contacts and the highest scores."""

from django.urls import reverse
from django.utils.http import urlencode

from contacts.day import DayLine, Section, register
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from leads.axes import NEXT_ACTION
from leads.models import Lead
from leads.work_order import RUNNING

SHOWN = 8


def late(by: Actor) -> list[DayLine]:
    """Return the actor's overdue first contacts, most overdue first."""
    rows = Lead.objects.open().filter(RUNNING, owner=by.member_id, contact_by__lt=clock.now())
    return [
        DayLine(
            lead.name,
            lead.get_absolute_url(),
            lead.source,
            _("Log first contact"),
            reverse("lead_move", args=[lead.public_id, "first_contact"]),
            lead.contact_by,
        )
        for lead in rows.select_related("contact").order_by("contact_by", "pk")[:SHOWN]
    ]


def hottest(by: Actor) -> list[DayLine]:
    """Return the actor's open leads by score, with its components."""
    rows = Lead.objects.open().filter(owner=by.member_id, score__score_tenths__gt=0).exclude(RUNNING)
    return [
        DayLine(lead.name, lead.get_absolute_url(), _why(lead), NEXT_ACTION[lead.stage])
        for lead in rows.select_related("contact", "score").order_by("-score__score_tenths", "pk")[:SHOWN]
    ]


def _why(lead: Lead) -> str:
    score = lead.score
    points = formats.number(score.score_tenths / 10, 1)
    text = gettext("Score {score} · fit {fit} · engagement {engagement}")
    return text.format(score=points, fit=formats.number(score.fit), engagement=formats.number(score.engagement))


def _list(where: str) -> str:
    return f"/qualification?{urlencode({'view': 'my_open', 'where': where})}"


MINE = "owner = me and status in (new, working, qualified)"  # not a text
LATE = f"{MINE} and deadline > 0 hours ago"  # not a text
register(Section(_("First contact overdue"), late, _list(LATE), is_urgent=True))
register(Section(_("Hottest leads"), hottest, "/qualification?view=my_open"))
