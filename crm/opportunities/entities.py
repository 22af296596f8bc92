"""The opportunity as an entity, and the field by which contacts and companies know theirs."""

from contacts.entities import SHARED
from crm.entities.fields import Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity
from crm.opportunities.axes import STAGE

OPPORTUNITY = Entity("opportunity", "opportunities.Opportunity", "Opportunity", "Opportunities", "opp")
OPPORTUNITY.add(
    Field("name", "Name", T.TEXT, required=True, sort="name_key", folded="name_key"),
    Field("contact", "Contact", T.LINK, target="contact", required=True),
    Field("company", "Company", T.LINK, api="organization", target="company"),
    Field("stage", "Stage", T.SELECT, choices=STAGE.values, editable=False),
    Field("amount", "Amount", T.MONEY, currency="currency"),
    Field("currency", "Currency", T.TEXT, help="Three letters, as in EUR"),
    Field("close_date", "Close date", T.DATE, api="closeDate"),
    Field("probability", "Probability", T.PERCENT, help="Set anew by every change of stage"),
    Field("next_step", "Next step", T.TEXT, api="nextStep"),
    Field("source", "Source", T.TEXT),
    Field("lost_reason", "Lost reason", T.LONG_TEXT, api="lostReason", editable=False),
    Field("stage_since", "In stage since", T.DATETIME, api="stageSince", editable=False),
    Field("won_at", "Won at", T.DATETIME, api="wonAt", editable=False),
    Field("lost_at", "Lost at", T.DATETIME, api="lostAt", editable=False),
    *SHARED,
)

THEIRS = Field("opportunities", "Opportunities", T.MANY, aliases=("opportunity",), target="opportunity", editable=False)
