"""Concurrency limit for expensive requests, to keep threads and the database free for others."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from crm.kit.errors import Busy


@dataclass
class FairSemaphore:
    """Semaphore of `size` turns, at most `size` − 1 per person; further callers wait up to `patience` seconds.

    Each waiting caller holds a server thread, so only `queue` may wait, at most `queue` − 1 per person.
    """

    size: int
    queue: int
    patience: float
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _taken: Counter[Hashable] = field(default_factory=Counter)
    _waiting: Counter[Hashable] = field(default_factory=Counter)

    @contextmanager
    def turn(self, who: Hashable) -> Iterator[None]:
        """Hold one turn during the block. Raises Busy if none becomes free in time."""
        with self._changed:
            if not self._has_room(who):
                self._wait(who)
            self._taken[who] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= Counter({who: 1})
                self._changed.notify_all()

    def _has_room(self, who: Hashable) -> bool:
        return _is_free(self._taken, who, self.size)

    def _wait(self, who: Hashable) -> None:
        if not _is_free(self._waiting, who, self.queue):
            raise Busy
        self._waiting[who] += 1
        try:
            if not self._changed.wait_for(lambda: self._has_room(who), self.patience):
                raise Busy
        finally:
            self._waiting -= Counter({who: 1})


def _is_free(places: Counter[Hashable], who: Hashable, size: int) -> bool:
    return places.total() < size and places[who] < max(1, size - 1)
