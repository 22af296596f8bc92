"""The old lead as an entity, under the names that reps knew."""

from audit.values import model_field
from contacts.entities import SHARED
from crm.entities.fields import Choice, Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity
from crm.legacy_leads.models import LegacyLead

TONES = {"new": "grey", "working": "amber", "qualified": "blue", "converted": "green", "lost": "red"}
STATUSES = tuple(Choice(v, label, TONES[v]) for v, label in model_field(LegacyLead, "status").flatchoices)

LEGACY_LEAD = Entity("legacy_lead", "legacy_leads.LegacyLead", "Old lead", "Old leads", "legacy", path="lead")
LEGACY_LEAD.add(
    Field("name", "Name", T.TEXT, sort="name_key", folded="name_key"),
    Field("first_name", "First name", T.TEXT, api="firstName"),
    Field("last_name", "Last name", T.TEXT, api="lastName"),
    Field("email", "E-mail", T.EMAIL),
    Field("phone", "Phone", T.PHONE),
    Field("company_name", "Company", T.TEXT, api="companyName"),
    Field("status", "Status", T.SELECT, choices=STATUSES),
    Field("source", "Source", T.TEXT),
    Field("estimated_value", "Estimated value", T.MONEY, api="estimatedValue", currency="currency"),
    Field("currency", "Currency", T.TEXT, help="Three letters, as in EUR"),
    Field("contact", "Contact", T.LINK, target="contact"),
    Field("description", "Description", T.LONG_TEXT),
    Field("archived_at", "Archived", T.DATETIME, api="archivedAt", editable=False),
    *SHARED,
)
