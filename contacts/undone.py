"""What follows when changes of companies and activities are undone."""

from uuid import UUID

from audit.models import Entry
from audit.undo import PutBack
from contacts.fields import derive_people
from contacts.last_activity import recompute
from crm.kit.actor import Actor


def rename_in_search(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Called by audit.undo: people are found by the name that their company has again."""
    if entity == "company":
        derive_people(pk for pk, keys in put_back.items() if "name" in keys)


def turn_last_activity_back(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Called by audit.undo: what is not done any more, or went back to another contact, is nobody's last activity."""
    if entity == "activity":
        told = Entry.objects.filter(change=change, entity=entity, entity_id__any_of=list(put_back))
        pairs = told.values_list("person", "new_values__contact")  # two contacts, where it was moved to another
        recompute(pk for pair in pairs for pk in pair)
