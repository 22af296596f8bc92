"""Reactions: what an upper app does in the same transaction when something happens in a lower one.

They run in the order of the layers, because apps register from the lowest to the highest when Django starts.
"""

from collections.abc import Callable

from django.db.models import QuerySet

from crm.kit.actor import Actor

Reaction = Callable[[QuerySet, Actor], None]
_reactions: dict[str, list[Reaction]] = {}


def react(event: str, reaction: Reaction) -> None:
    """Call `reaction(rows, by)` whenever `event` has been recorded, before the transaction ends."""
    _reactions.setdefault(event, []).append(reaction)


def awaited(event: str) -> bool:
    """Whether anything reacts to `event`."""
    return event in _reactions


def run(event: str, rows: QuerySet, by: Actor) -> None:
    """Run the reactions to an event that has happened to `rows`; they show the rows as they are now."""
    for reaction in _reactions.get(event, ()):
        reaction(rows, by)
