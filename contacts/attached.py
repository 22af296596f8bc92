"""What apps above attach to a contact, and what becomes of it when contacts are merged."""

from collections.abc import Callable

from django.db.models import QuerySet

from contacts.models import Contact
from crm.kit.actor import Actor

_movers: list[Callable[[Contact, QuerySet, Actor], None]] = []


def on_merge(mover: Callable[[Contact, QuerySet, Actor], None]) -> None:
    """Have `mover(survivor, duplicates, by)` move an app's records to the survivor, recorded under the same change."""
    _movers.append(mover)


def move_attached(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Let every app move what it attached to the duplicates."""
    for mover in _movers:
        mover(survivor, duplicates, by)
