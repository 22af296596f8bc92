"""The old lead among the kinds of record that share their pages."""

from contacts.kinds import KINDS, Kind
from leads.legacy.models import LegacyLead
from leads.legacy.timeline import of_legacy_lead
from leads.legacy.verbs.create import create

KINDS["legacy_lead"] = Kind(
    model=LegacyLead,
    related=("contact", "owner__user", "team"),
    create=create,
    timeline=of_legacy_lead,
    about=lambda lead: {"contact_id": lead.contact_id} if lead.contact_id else {},
    hint="email",
)
