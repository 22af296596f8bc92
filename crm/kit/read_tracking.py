"""Reader tracking: who reads where, for reads, which no verb records.

`reading_as()` wraps requests and commands. `uncounted_reads()` wraps the product's own reads, such as a backup.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from crm.kit.registry import Hook


class TableReader(NamedTuple):
    """A member (None: the system or an operator) and their page or command."""

    member_id: int | None
    place: str


# The block's reader; None outside one, where after_reading is not called.
who_reads: ContextVar[Callable[[], TableReader | None] | None] = ContextVar("reader", default=None)
# Called after each reading block, in its workspace's scope.
after_reading: Hook[Callable[[], None]] = Hook()


@contextmanager
def reading_as(who: Callable[[], TableReader]) -> Iterator[None]:
    """Attribute reads in the block to `who()`, called lazily because a request learns its route late."""
    token = who_reads.set(who)
    try:
        yield
    finally:
        for listener in after_reading:
            listener()
        who_reads.reset(token)


@contextmanager
def uncounted_reads() -> Iterator[None]:
    """Exclude reads in the block from tracking."""
    token = who_reads.set(lambda: None)
    try:
        yield
    finally:
        who_reads.reset(token)


def current_reader() -> TableReader | None:
    """Return the reader; outside requests and our commands, the process by its command line. None: uncounted."""
    who = who_reads.get()
    return who() if who else TableReader(None, " ".join(["command", *sys.argv[1:2]]))
