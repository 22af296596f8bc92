"""Exceptions about leads (DESIGN 1.1, 1.2)."""

from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse

from contacts.axes import LIFECYCLE
from contacts.models import Contact
from crm.anomalies.detect import register
from crm.anomalies.kinds import AnomalyKind
from crm.anomalies.last_transition import moved, moved_at, moved_how
from crm.conditions.compile import Viewer
from crm.kit import clock, formats
from crm.kit.translation import gettext, translated
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.guards import rules
from leads.axes import BY_SCORE, STATUS
from leads.models import Lead
from leads.open_leads import PROSPECTS
from leads.scoring.current import thresholds
from leads.work_order import RUNNING


def below_its_status() -> QuerySet[Lead]:
    """Return leads with status qualified and a score below the threshold."""
    return Lead.objects.live().filter(status="qualified", stage__in=BY_SCORE[:2])


def _points() -> Concat:
    tenths = Coalesce(F("score__score_tenths"), 0)
    whole, rest = Cast(tenths / 10, TextField()), Cast(tenths % 10, TextField())
    least = formats.number(thresholds()["sales_qualified"] / 10)
    sentence = gettext("Score {score}, below {threshold}").format(score="{score}", threshold=least)
    before, after = sentence.split("{score}")
    point = formats.number(0.5).strip("05")
    return Concat(Value(before), whole, Value(point), rest, Value(after), output_field=TextField())


def _ready() -> QuerySet[Lead]:
    return Lead.objects.open().filter(stage="sales_qualified", contact=OuterRef("pk"))


def contacts_behind_their_lead() -> QuerySet[Contact]:
    """Return contacts at Lead whose lead is Sales Qualified."""
    return Contact.objects.live().filter(Exists(_ready()), lifecycle_stage="lead")


def _guards() -> Any:
    """Return the message of the first guard that blocks the contact's qualification."""
    said: Any = Value(gettext("Requirements met – ready to qualify"))
    for rule in reversed([rule for rule in rules("contact") if rule.verb == "qualify"]):
        holds = When(Q(rule.condition.expression(Viewer(), clock.now())), then=said)
        said = Case(holds, default=Value(translated(rule.message)), output_field=TextField())
    return said


def leads_lost_unexplained() -> QuerySet[Lead]:
    """Return lost leads without a reason (source 003: recommended, not required)."""
    return Lead.objects.live().filter(status="lost", lost_reason="")


def leads_overdue() -> QuerySet[Lead]:
    """Return leads with an overdue first contact."""
    return Lead.objects.open().filter(RUNNING, contact_by__lt=clock.now())


def unowned() -> QuerySet[Lead]:
    """Return open leads that neither a rule nor the pool could assign."""
    return Lead.objects.open().filter(owner__isnull=True)


def on_settled() -> QuerySet[Lead]:
    """Return open leads of contacts past the prospect stages."""
    return Lead.objects.open().exclude(contact__lifecycle_stage__in=PROSPECTS)


def _settled() -> Case:
    sentence = gettext("Contact is {stage}")
    whens = (
        When(contact__lifecycle_stage=choice.value, then=Value(sentence.format(stage=choice.label)))
        for choice in LIFECYCLE.values
    )
    return Case(*whens, default=Value(""), output_field=TextField())


def _verb(verb: str):
    return lambda lead: reverse("lead_move", args=[lead.public_id, verb])


def _assign(lead: Lead) -> str:
    return reverse("lead_field", args=[lead.public_id, "owner"])


ANOMALIES = (
    AnomalyKind(
        name="lead_below_its_status",
        label=_("Qualified lead below score threshold"),
        entity="lead",
        rows=below_its_status,
        since=lambda: F("stage_since"),
        evidence=_points,
        help=_("Qualify manually"),
        url=_verb("qualify"),
        looked_at={"lead.qualified": "", "lead.lost": ""},
    ),
    AnomalyKind(
        name="contact_held_back",
        label=_("Contact still at Lead – lead is Sales Qualified"),
        entity="contact",
        rows=contacts_behind_their_lead,
        since=lambda: Subquery(_ready().values("stage_since")[:1]),
        evidence=_guards,
        help=_("View contact"),
        url=Contact.get_absolute_url,
        looked_at={"contact.qualified": "", "contact.lost": ""},
    ),
    AnomalyKind(
        name="lead_lost_unexplained",
        label=_("Lead lost without a reason"),
        entity="lead",
        rows=leads_lost_unexplained,
        since=lambda: F("lost_date"),
        evidence=lambda: Value(gettext("No lost reason given")),
        help=_("View lead"),
        url=Lead.get_absolute_url,
        looked_at={"lead.lost": "", "lead.reactivated": ""},
    ),
    AnomalyKind(
        name="lead_overdue",
        label=_("First contact overdue"),
        entity="lead",
        rows=leads_overdue,
        since=lambda: F("contact_by"),
        evidence=lambda: Value(gettext("No contact logged yet")),
        help=_("Log first contact"),
        url=_verb("first_contact"),
        looked_at={"lead.overdue": "", "lead.contacted": "", "lead.lost": ""},
    ),
    AnomalyKind(
        name="lead_reactivated",
        label=_("Lost lead reactivated"),
        entity="lead",
        rows=moved(STATUS, "reactivate"),
        since=moved_at(STATUS, "reactivate"),
        evidence=moved_how(STATUS, "reactivate"),
        help=_("View lead"),
        url=Lead.get_absolute_url,
        looked_at={"lead.reactivated": "", "lead.undone": ""},
    ),
    AnomalyKind(
        name="lead_unowned",
        label=_("Unassigned lead"),
        entity="lead",
        rows=unowned,
        since=lambda: F("created_at"),
        evidence=lambda: Value(gettext("No assignment rule matched and no one in the pool was available")),
        help=_("Assign owner"),
        url=_assign,
        looked_at={"lead.created": "", "lead.assigned": ""},
    ),
    AnomalyKind(
        name="lead_on_settled",
        label=_("Open lead on a Customer, Partner, Lost or Churned contact"),
        entity="lead",
        rows=on_settled,
        since=lambda: F("contact__lifecycle_stage_since"),
        evidence=_settled,
        help=_("Mark lead as lost"),
        url=_verb("lose"),
        looked_at={
            "contact.won": "contact",
            "contact.partnered": "contact",
            "contact.lost": "contact",
            "contact.overridden": "contact",
            "lead.lost": "",
        },
    ),
)

for kind in ANOMALIES:
    register(kind)
