"""The timeline of a lead: its own changes, and what was done with its contact."""

from django.db.models import Q

from audit import timeline
from contacts.models import Activity
from contacts.timeline import Item, page
from crm.kit.actor import Actor
from leads.models import Lead


def of_lead(lead: Lead, by: Actor, before: str = "") -> tuple[list[Item], list[Activity], str]:
    """A page of the timeline, the contact's open tasks, and the cursor of the next page."""
    done = Activity.objects.visible_to(by).filter(contact=lead.contact_id).values("pk")
    entries = timeline.of_record("lead", lead.pk, Q(entity="activity", entity_id__in=done))
    return page("lead", entries, {"contact_id": lead.contact_id}, by, before)
