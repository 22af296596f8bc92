"""Reactions: code of an upper app that runs in the transaction of an event in a lower one.

They run in order of registration: the lowest app first, and within an app in module order.
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
    """Call `reaction(rows, by)` whenever `event` is recorded, before the transaction ends."""
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
    """Run the reactions to an event on `rows`, which hold the current values."""
    for reaction in _reactions.get(event, ()):
        reaction(rows, by)


@contextmanager
def mark_large_job() -> Iterator[None]:
    """Mark events recorded in the block as part of a bulk job, for is_large_job()."""
    token = _large.set(True)
    try:
        yield
    finally:
        _large.reset(token)


def is_large_job() -> bool:
    """Return whether a bulk job is running here: reactions can leave their work to a scheduled job that covers it."""
    return _large.get()
