"""The lead as an entity, and contacts' fields from their open or latest lead."""

from django.db.models import (
    DateTimeField,
    Exists,
    ExpressionWrapper,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce

from contacts.entities import SHARED
from crm.entities.fields import Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity
from crm.kit.translation import gettext_lazy as _
from leads.axes import OPEN, STAGE, STATUS
from leads.models import Lead

# A cast: PostgreSQL would divide as numeric, and an export would show sixteen zeros.
POINTS = Cast("score__score_tenths", FloatField()) / Value(10.0, FloatField())


def score() -> ExpressionWrapper:
    """Return a lead's qualification score, in points with one decimal."""
    return ExpressionWrapper(POINTS, FloatField())


def current_lead() -> QuerySet[Lead]:
    """Return a contact's open lead, otherwise the latest: the one no other precedes."""
    others = Lead.objects.live().filter(contact=OuterRef("contact")).exclude(pk=OuterRef("pk"))
    later = Q(created_at__gt=OuterRef("created_at")) | Q(created_at=OuterRef("created_at"), pk__gt=OuterRef("pk"))
    before = others.filter(Q(status__in=OPEN) | later)
    return Lead.objects.live().filter(Q(status__in=OPEN) | ~Exists(before), contact=OuterRef("pk"))


def lead_score() -> Coalesce:
    """Return the score of a contact's open or latest lead, 0 without one. Always read from the lead, never copied."""
    found = current_lead().order_by().values(points=ExpressionWrapper(POINTS, FloatField()))
    return Coalesce(Subquery(found, output_field=FloatField()), Value(0.0))


def won_at() -> Coalesce:
    """Return when the lead's opportunity was won, or the contact became a customer without one."""
    return Coalesce("opportunity__won_at", "won_date", output_field=DateTimeField())


LEAD = Entity("lead", "leads.Lead", _("Lead"), _("Leads"), "lead", path="qualification")
LEAD.add(
    Field("name", _("Name"), T.TEXT, path="contact__name", folded="contact__name_key", editable=False),
    Field("contact", _("Contact"), T.LINK, target="contact", required=True, editable=False),
    Field("status", _("Status"), T.SELECT, choices=STATUS.values, editable=False),
    Field("stage", _("Qualification stage"), T.SELECT, choices=STAGE.values, editable=False),
    Field(
        "qualification_score",
        _("Score"),
        T.NUMBER,
        api="qualificationScore",
        aliases=("qualification score",),  # not a text
        editable=False,
        decimals=1,
        expression=score,
    ),
    Field(
        "fit_score",
        _("Fit"),
        T.NUMBER,
        path="score__fit",
        api="fitScore",
        aliases=("fit score",),  # not a text
        editable=False,
    ),
    Field(
        "engagement_score",
        _("Engagement"),
        T.NUMBER,
        path="score__engagement",
        api="engagementScore",
        aliases=("engagement score",),  # not a text
        editable=False,
    ),
    Field("source", _("Source"), T.TEXT),
    Field("campaign", _("Campaign"), T.TEXT),
    Field("fleet_size", _("Fleet size"), T.NUMBER, api="fleetSize"),
    Field("country", _("Country"), T.TEXT, help=_("Two-letter code, e.g. DE")),
    Field("estimated_value", _("Estimated value"), T.MONEY, api="estimatedValue", currency="currency"),
    Field("currency", _("Currency"), T.TEXT, help=_("Three-letter code, e.g. EUR")),
    Field("description", _("Description"), T.LONG_TEXT),
    Field("contact_by", _("First contact by"), T.DATETIME, api="contactBy", editable=False),
    Field("contacted_at", _("First contact"), T.DATETIME, api="contactedAt", editable=False),
    Field(
        "qualified_date", _("Qualified date"), T.DATETIME, api="qualifiedDate", aliases=("Qualified",), editable=False
    ),
    Field(
        "converted_date", _("Converted date"), T.DATETIME, api="convertedDate", aliases=("Converted",), editable=False
    ),
    Field("won_at", _("Won date"), T.DATETIME, api="wonAt", aliases=("Won",), editable=False, expression=won_at),
    Field("lost_date", _("Lost date"), T.DATETIME, api="lostDate", aliases=("Lost",), editable=False),
    Field("lost_reason", _("Lost reason"), T.LONG_TEXT, api="lostReason", editable=False),
    Field("opportunity", _("Opportunity"), T.LINK, target="opportunity", editable=False),
    Field(
        "status_since", _("Status since"), T.DATETIME, api="statusSince", aliases=("In status since",), editable=False
    ),
    Field(
        "stage_since",
        _("Qualification stage since"),
        T.DATETIME,
        api="stageSince",
        aliases=("In stage since",),
        editable=False,
    ),
    *SHARED,
)

OF_CONTACT = (
    Field("lead", _("Lead"), T.LINK, target="lead", rows=current_lead, editable=False),
    Field("leads", _("Leads"), T.MANY, target="lead", editable=False),
    Field("lead_score", _("Lead score"), T.NUMBER, api="leadScore", editable=False, decimals=1, expression=lead_score),
)
