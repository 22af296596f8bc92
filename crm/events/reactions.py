"""Reactions: what an upper app does in the same transaction when something happens in a lower one.

They run as they were registered: the lowest app first, and within an app in the order of its modules.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db.models import QuerySet

from crm.kit.actor import Actor

Reaction = Callable[[QuerySet, Actor], None]
_reactions: dict[str, list[Reaction]] = {}
_large: ContextVar[bool] = ContextVar("large", default=False)


def react(event: str, reaction: Reaction) -> None:
    """Call `reaction(rows, by)` whenever `event` has been recorded, before the transaction ends."""
    _reactions.setdefault(event, []).append(reaction)


def reacts_to(*events: str) -> Callable[[Reaction], Reaction]:
    def register(reaction: Reaction) -> Reaction:
        for event in events:
            react(event, reaction)
        return reaction

    return register


def awaited(event: str) -> bool:
    return event in _reactions


def run(event: str, rows: QuerySet, by: Actor) -> None:
    """Run the reactions to an event that has happened to `rows`; they show the rows as they are now."""
    for reaction in _reactions.get(event, ()):
        reaction(rows, by)


@contextmanager
def mark_large_job() -> Iterator[None]:
    """Mark what is recorded in the block as a part of a job over many records, for is_large_job()."""
    token = _large.set(True)
    try:
        yield
    finally:
        _large.reset(token)


def is_large_job() -> bool:
    """Whether a job over many records is under way here: what a scheduled job looks at as well can wait for that."""
    return _large.get()
