"""Pauses of long jobs on SQLite, with its single writer, in favor of users (RELIABILITY R24).

The process's queue admits a writer after the current batch, and a waiting writer of another process is detected (see
waiting.py): the job pauses only for these and for requests that need Python.

Why: docs/decisions/0058-long-jobs-pause-for-people.md
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from crm.kit.sqlite.waiting import is_waited_for

LOOK = 0.001  # seconds
MOST = 0.1  # seconds that a job waits for another process's writer, enough for it to get the lock
GOAL = 0.03  # seconds of lock time per batch while users are active
SHARING = 0.02  # in the serving process, where users also wait for Python's lock
ALONE = 0.2  # while no user is active: half of a short batch is fixed cost. The first user waits this long once
RECENTLY = 60  # seconds for which a user counts as active
LEAST = 10  # rows: smaller batches save little

_serving = 0
_last_seen = float("-inf")
_lock = threading.Lock()
_own = threading.local()


@contextmanager
def count_request() -> Iterator[None]:
    """Count a request of this process while it is handled."""
    global _serving
    with _lock:
        _serving += 1
    _own.requests = 1
    try:
        yield
    finally:
        _own.requests = 0
        with _lock:
            _serving -= 1


@contextmanager
def batch() -> Iterator[None]:
    """Run one transaction of a batch job, then give waiting writers a turn and requests Python's lock.

    In the serving process the job would otherwise take three quarters of Python's time. On PostgreSQL this does
    nothing.
    """
    started = time.perf_counter()
    yield
    if connection.vendor == "sqlite":
        _give_way(time.perf_counter() - started)


def _give_way(took: float) -> None:
    if _serving > getattr(_own, "requests", 0):
        _see_somebody()
        time.sleep(took)
    if connection.was_awaited:  # type: ignore[attr-defined]
        _see_somebody()
    for _ in range(round(MOST / LOOK)):
        if not is_waited_for(connection.settings_dict["NAME"]):
            return
        time.sleep(LOOK)


def _see_somebody() -> None:
    global _last_seen
    _last_seen = time.perf_counter()


class Pace:
    """Batch size of a job: on SQLite as many rows as hold the lock for `goal` or ALONE on this machine.

    `size` is the initial size, constant on PostgreSQL; it never falls below `least`.
    """

    def __init__(self, size: int, *, least: int = LEAST, goal: float = GOAL):
        self.size, self.least = size, least
        self.goal = SHARING if getattr(_own, "requests", 0) else goal

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Run batch() with `size` rows and adjust the next size, at most doubling it."""
        started = time.perf_counter()
        with batch():
            connection.held = 0.0  # type: ignore[attr-defined]
            yield
            # Time spent waiting for the lock says nothing about the rows.
            took = connection.held or time.perf_counter() - started  # type: ignore[attr-defined]
        if connection.vendor == "sqlite":
            self.size = max(self.least, min(2 * self.size, round(self.size * self._seconds() / took)))

    def _seconds(self) -> float:
        return self.goal if time.perf_counter() - _last_seen < RECENTLY else ALONE
