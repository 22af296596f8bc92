"""The timeline of an opportunity: its own changes, and what was done with its contact."""

from django.db.models import Q

from audit import timeline
from contacts.models import Activity
from contacts.timeline import Item, page
from crm.kit.actor import Actor
from crm.opportunities.models import Opportunity


def of_opportunity(opportunity: Opportunity, by: Actor, before: str = "") -> tuple[list[Item], list[Activity], str]:
    """A page of the timeline, the contact's open tasks, and the cursor of the next page."""
    done = Activity.objects.visible_to(by).filter(contact=opportunity.contact_id).values("pk")
    entries = timeline.of_record("opportunity", opportunity.pk, Q(entity="activity", entity_id__in=done))
    return page("opportunity", entries, {"contact_id": opportunity.contact_id}, by, before)
