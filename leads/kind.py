"""The lead among the kinds of record that share their pages."""

from contacts.kinds import KINDS, Kind
from leads.axes import OPEN
from leads.models import Lead
from leads.open_leads import refuse_second_open
from leads.timeline import of_lead
from leads.verbs.create import create

KINDS["lead"] = Kind(
    model=Lead,
    related=("contact__company", "owner__user", "team", "opportunity", "score"),
    create=create,
    timeline=of_lead,
    about=lambda lead: {"contact_id": lead.contact_id},
    hint="source",
    hold_in_trash=lambda locked: refuse_second_open(locked, OPEN),
    asked_once=("contact",),
)
