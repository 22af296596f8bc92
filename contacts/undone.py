"""What follows when changes of companies, activities and engagement are undone."""

from collections.abc import Collection
from uuid import UUID

from audit.models import Entry
from audit.undone import PutBack
from contacts.engagement import forget
from contacts.fields import derive_people
from contacts.last_activity import recompute
from contacts.models import EngagementEvent
from crm.kit.actor import Actor


def rename_in_search(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Called by audit.undo: people are found by the name that their company has again."""
    if entity == "company":
        derive_people(pk for pk, keys in put_back.items() if "name" in keys)


def turn_last_activity_back(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Called by audit.undo: what is not done any more, or went back to another contact, is nobody's last activity."""
    if entity in ("activity", "engagement"):
        told = Entry.objects.filter(change=change, entity=entity, entity_id__any_of=list(put_back))
        pairs = told.values_list("person", "new_values__contact")  # two contacts, where it was moved to another
        recompute(pk for pair in pairs for pk in pair)


def take_engagement_back(change: UUID, contacts: Collection[int], by: Actor) -> int:
    """Called by audit.undo: events of these contacts that the change told of never happened."""
    events = EngagementEvent.objects.filter(contact__id__any_of=contacts, change=change).editable_by(by)
    ids = list(events.order_by("pk").values_list("pk", flat=True))
    return forget(EngagementEvent.objects.filter(pk__any_of=ids), "contact.undone", by=by, note="contact.engaged")
