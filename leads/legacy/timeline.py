"""The timeline of an old lead: its own changes, and what was done with the contact it is linked to."""

from django.db.models import F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from audit import timeline
from contacts.models import Activity
from contacts.timeline import Item, page
from crm.kit.actor import Actor
from leads.legacy.models import LegacyLead, MovedLead


def names(by: Actor) -> QuerySet:
    """What a contact's timeline calls the old leads that it came from."""
    seen = MovedLead.objects.visible_to(by).filter(lead=OuterRef("entity_id"))
    return seen.values(called=Concat(F("public_id"), Value(" "), F("name"), output_field=TextField()))[:1]


def of_legacy_lead(lead: LegacyLead, by: Actor, before: str = "") -> tuple[list[Item], list[Activity], str]:
    """A page of the timeline, the contact's open tasks, and the cursor of the next page."""
    done = Activity.objects.visible_to(by).filter(contact=lead.contact_id, contact__isnull=False).values("pk")
    entries = timeline.of_record("legacy_lead", lead.pk, Q(entity="activity", entity_id__in=done))
    whom = {"contact_id": lead.contact_id or 0}
    return page("legacy_lead", entries, whom, by, before)
