"""Who is at work and where, for what no verb tells of: that something was read.

`reading_as()` is opened around a request and a command. `uncounted_reads()` is opened around what the product does for
itself, such as a backup: nobody reads there.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from crm.kit.registry import Hook


class TableReader(NamedTuple):
    """A member (None: the system, or an operator) and the page or the command they are at."""

    member_id: int | None
    place: str


# Tells who is at work in a block; None outside one, where after_reading is not called.
who_reads: ContextVar[Callable[[], TableReader | None] | None] = ContextVar("reader", default=None)
# Called whenever somebody has done what they were at, in their workspace's scope.
after_reading: Hook[Callable[[], None]] = Hook()


@contextmanager
def reading_as(who: Callable[[], TableReader]) -> Iterator[None]:
    """Somebody is at work inside the block. `who` is asked when it matters: a request learns its route late."""
    token = who_reads.set(who)
    try:
        yield
    finally:
        for listener in after_reading:
            listener()
        who_reads.reset(token)


@contextmanager
def uncounted_reads() -> Iterator[None]:
    """What the block asks the database, nobody reads."""
    token = who_reads.set(lambda: None)
    try:
        yield
    finally:
        who_reads.reset(token)


def current_reader() -> TableReader | None:
    """Who is at work where; outside a request or one of our commands, the process by its command line; None: nobody."""
    who = who_reads.get()
    return who() if who else TableReader(None, " ".join(["command", *sys.argv[1:2]]))
