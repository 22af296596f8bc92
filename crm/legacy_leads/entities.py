"""The legacy lead as an entity, under the names that reps knew."""

from audit.values import model_field
from contacts.entities import SHARED
from crm.entities.fields import Choice, Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.models import LegacyLead

TONES = {"new": "grey", "working": "amber", "qualified": "blue", "converted": "green", "lost": "red"}
STATUSES = tuple(Choice(v, label, TONES[v]) for v, label in model_field(LegacyLead, "status").flatchoices)

LEGACY_LEAD = Entity(
    "legacy_lead", "legacy_leads.LegacyLead", _("Legacy lead"), _("Legacy leads"), "legacy", path="lead"
)
LEGACY_LEAD.add(
    Field("name", _("Name"), T.TEXT, sort="name_key", folded="name_key"),
    Field("first_name", _("First name"), T.TEXT, api="firstName"),
    Field("last_name", _("Last name"), T.TEXT, api="lastName"),
    Field("email", _("Email"), T.EMAIL, aliases=("E-mail",)),
    Field("phone", _("Phone"), T.PHONE),
    Field("company_name", _("Company"), T.TEXT, api="companyName"),
    Field("status", _("Status"), T.SELECT, choices=STATUSES),
    Field("source", _("Source"), T.TEXT),
    Field("estimated_value", _("Estimated value"), T.MONEY, api="estimatedValue", currency="currency"),
    Field("currency", _("Currency"), T.TEXT, help=_("Three-letter code, e.g. EUR")),
    Field("contact", _("Contact"), T.LINK, target="contact"),
    Field("description", _("Description"), T.LONG_TEXT),
    Field("archived_at", _("Archived"), T.DATETIME, api="archivedAt", editable=False),
    *SHARED,
)
