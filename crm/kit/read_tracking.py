"""Who is at work and where, for what no verb tells of: that something was read.

`reading_as()` is opened around a request and a command. `uncounted_reads()` is opened around what the product does for
itself, such as a backup: nobody reads there.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Reader(NamedTuple):
    """A member (None: the system, or an operator) and the page or the command they are at."""

    member_id: int | None
    place: str


_who: ContextVar[Callable[[], Reader | None] | None] = ContextVar("reader", default=None)
_listeners: list[Callable[[], None]] = []


def after_reading(listener: Callable[[], None]) -> None:
    """Call `listener` whenever somebody has done what they were at, in their workspace's scope."""
    _listeners.append(listener)


@contextmanager
def reading_as(who: Callable[[], Reader]) -> Iterator[None]:
    """Somebody is at work inside the block. `who` is asked when it matters: a request learns its route late."""
    token = _who.set(who)
    try:
        yield
    finally:
        for listener in _listeners:
            listener()
        _who.reset(token)


@contextmanager
def uncounted_reads() -> Iterator[None]:
    """What the block asks the database, nobody reads."""
    token = _who.set(lambda: None)
    try:
        yield
    finally:
        _who.reset(token)


def reader() -> Reader | None:
    """Who is at work where; outside a request or one of our commands, the process by its command line; None: nobody."""
    who = _who.get()
    return who() if who else Reader(None, " ".join(["command", *sys.argv[1:2]]))


def is_reading() -> bool:
    """Whether somebody's block is open, after which the listeners are called."""
    return _who.get() is not None
