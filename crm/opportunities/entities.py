"""The opportunity as an entity, and the field that links contacts and companies to theirs."""

from contacts.entities import SHARED
from contacts.models import ROLES
from crm.entities.fields import Choice, Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity, register
from crm.kit.lazy import LazySequence
from crm.kit.translation import gettext_lazy as _
from crm.opportunities import pipelines
from crm.opportunities.axes import STAGE
from crm.opportunities.models import StageKind

PIPELINES: LazySequence[Choice] = LazySequence(
    lambda: [Choice(pipeline.key, pipelines.name_of(pipeline)) for pipeline in pipelines.pipelines()]
)
TONES = {StageKind.OPEN: "blue", StageKind.WON: "green", StageKind.LOST: "red"}

OPPORTUNITY = Entity(
    "opportunity", "opportunities.Opportunity", _("Opportunity"), _("Opportunities"), "opp", stage="stage"
)
OPPORTUNITY.add(
    Field("name", _("Name"), T.TEXT, required=True, sort="name_key", folded="name_key"),
    Field(
        "contact",
        _("Contact"),
        T.LINK,
        target="contact",
        help=_("Leave it blank if only the company is known."),
    ),
    Field("company", _("Company"), T.LINK, api="organization", target="company"),
    Field("pipeline", _("Pipeline"), T.SELECT, choices=PIPELINES, editable=False),
    Field("stage", _("Stage"), T.SELECT, choices=STAGE.values, editable=False),
    Field(
        "stage_kind",
        _("Outcome"),
        T.SELECT,
        api="stageKind",
        choices=tuple(Choice(kind.value, kind.label, TONES[kind]) for kind in StageKind),
        aliases=("stage.kind",),
        editable=False,
    ),
    Field("amount", _("Amount"), T.MONEY, currency="currency"),
    Field("currency", _("Currency"), T.TEXT, help=_("Three-letter code, e.g. EUR")),
    Field("close_date", _("Close date"), T.DATE, api="closeDate"),
    Field("probability", _("Probability"), T.PERCENT, help=_("Updated automatically when the stage changes")),
    Field("next_step", _("Next step"), T.TEXT, api="nextStep"),
    Field("source", _("Source"), T.TEXT),
    Field("lost_reason", _("Lost reason"), T.LONG_TEXT, api="lostReason", editable=False),
    Field(
        "stage_since",
        _("Stage entered"),
        T.DATETIME,
        api="stageSince",
        aliases=("In stage since",),  # not a text
        editable=False,
    ),
    Field("won_at", _("Won date"), T.DATETIME, api="wonAt", aliases=("Won at",), editable=False),  # not a text
    Field("lost_at", _("Lost date"), T.DATETIME, api="lostAt", aliases=("Lost at",), editable=False),  # not a text
    *SHARED,
)

PERSON = Entity(
    "opportunity_contact",
    "opportunities.OpportunityContact",
    _("Person on an opportunity"),
    _("People on opportunities"),
    "contact",
    public_id="contact__public_id",  # its page is that of the contact
    path="contact",
)
PERSON.add(
    Field("name", _("Name"), T.TEXT, path="contact__name", editable=False),
    Field("contact", _("Contact"), T.LINK, target="contact", editable=False),
    Field("role", _("Role"), T.SELECT, choices=tuple(Choice(value, label) for value, label in ROLES), editable=False),
)
register(PERSON)
OPPORTUNITY.add(Field("people", _("People"), T.MANY, aliases=("person",), target="opportunity_contact", editable=False))

# What a lower app's records belong to.
ABOUT = Field("opportunity", _("Opportunity"), T.LINK, target="opportunity")
THEIRS = Field(
    "opportunities", _("Opportunities"), T.MANY, aliases=("opportunity",), target="opportunity", editable=False
)
