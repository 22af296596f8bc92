"""What follows when changes of companies are undone."""

from uuid import UUID

from audit.undo import PutBack
from contacts.fields import derive_people
from crm.kit.actor import Actor


def rename_in_search(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Called by audit.undo: people are found by the name that their company has again."""
    if entity == "company":
        derive_people(pk for pk, keys in put_back.items() if "name" in keys)
