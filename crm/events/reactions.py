"""Reactions: what an upper app does in the same transaction when something happens in a lower one.

They run in the order of the layers, the lowest first: INSTALLED_APPS has the upper ones first, so the last that was
registered is the first to run.
"""

from collections.abc import Callable

from django.db.models import QuerySet

from crm.kit.actor import Actor

Reaction = Callable[[QuerySet, Actor], None]
_reactions: dict[str, list[Reaction]] = {}


def react(event: str, reaction: Reaction) -> None:
    """Call `reaction(rows, by)` whenever `event` has been recorded, before the transaction ends."""
    _reactions.setdefault(event, []).insert(0, reaction)


def awaited(event: str) -> bool:
    """Whether anything reacts to `event`."""
    return event in _reactions


def run(event: str, rows: QuerySet, by: Actor) -> None:
    """Run the reactions to an event that has happened to `rows`; they show the rows as they are now."""
    for reaction in _reactions.get(event, ()):
        reaction(rows, by)
