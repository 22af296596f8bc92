"""Room for people while a long job writes on SQLite, where one writes at a time (RELIABILITY R24).

The queue of the process lets a writer in after the batch during which it came, and a writer of another process is seen
to wait (see waiting.py): the job pauses for these, and for requests that want Python, and for nobody else.

Why: docs/decisions/0058-long-jobs-pause-for-people.md
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from crm.kit.sqlite.waiting import is_waited_for

LOOK = 0.001  # seconds
MOST = 0.1  # seconds that a job waits for a writer of another process, which has then had its chance
GOAL = 0.03  # seconds that a batch is to hold the lock while people are about
SHARING = 0.02  # and in the process that serves them, where they wait for Python too
ALONE = 0.2  # and while nobody is: half of a short batch is what any batch costs. Who comes waits so long once
RECENTLY = 60  # seconds for which somebody who was seen is taken to be about
LEAST = 10  # rows: fewer cost little less

_serving = 0
_last_seen = float("-inf")
_lock = threading.Lock()
_own = threading.local()


@contextmanager
def count_request() -> Iterator[None]:
    """Count a request of this process while it is answered."""
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
    """One transaction of a job that has many: whoever waits to write has a turn after it, and requests have Python.

    In the process that serves people the job would otherwise take three quarters of the time that Python has. On
    PostgreSQL nobody waits, and nothing is done.
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
    """How many rows a job writes at once: on SQLite as many as hold the lock for `goal` or ALONE on this machine.

    `size` is what it begins with, and on PostgreSQL what it stays at; it never falls below `least`.
    """

    def __init__(self, size: int, *, least: int = LEAST, goal: float = GOAL):
        self.size, self.least = size, least
        self.goal = SHARING if getattr(_own, "requests", 0) else goal

    @contextmanager
    def batch(self) -> Iterator[None]:
        """As batch(), of `size` rows; the next may be of more, up to twice as many, or of fewer."""
        started = time.perf_counter()
        with batch():
            connection.held = 0.0  # type: ignore[attr-defined]
            yield
            # To have waited for the lock says nothing about the rows.
            took = connection.held or time.perf_counter() - started  # type: ignore[attr-defined]
        if connection.vendor == "sqlite":
            self.size = max(self.least, min(2 * self.size, round(self.size * self._seconds() / took)))

    def _seconds(self) -> float:
        return self.goal if time.perf_counter() - _last_seen < RECENTLY else ALONE
