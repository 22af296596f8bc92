"""The opportunity among the kinds of record that share their pages."""

from contacts.kinds import KINDS, Kind
from crm.opportunities.models import Opportunity
from crm.opportunities.timeline import of_opportunity
from crm.opportunities.verbs.create import create

KINDS["opportunity"] = Kind(
    model=Opportunity,
    related=("contact", "company", "owner__user", "team"),
    create=create,
    timeline=of_opportunity,
    about=lambda opportunity: {"contact_id": opportunity.contact_id},
    hint="contact__name",
    found="opportunities/found.html",
)
