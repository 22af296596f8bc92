"""Room for people while a long job writes on SQLite, where one writes at a time (RELIABILITY R24)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

PAUSE = 0.01  # seconds, at least
GOAL = 0.02  # seconds that a batch is to take
LEAST = 5  # rows: fewer cost little less


@contextmanager
def batch() -> Iterator[None]:
    """One transaction of a job that has many: those who wait to write, or for Python, have as long again after it.

    In the process that serves people the job would otherwise take three quarters of the time that Python has. On
    PostgreSQL nobody waits, and nothing is done.
    """
    started = time.perf_counter()
    yield
    if connection.vendor == "sqlite":
        time.sleep(max(PAUSE, time.perf_counter() - started))


class Pace:
    """How many rows a job writes at once: on SQLite as many as take GOAL on this machine, beside whoever else is there.

    `size` is what it begins with, and on PostgreSQL what it stays at.
    """

    def __init__(self, size: int):
        self.size = size

    @contextmanager
    def batch(self) -> Iterator[None]:
        """As batch(), of `size` rows; the next may be of more, up to twice as many, or of fewer."""
        started = time.perf_counter()
        with batch():
            yield
            took = time.perf_counter() - started
            if connection.vendor == "sqlite":
                self.size = max(LEAST, min(2 * self.size, round(self.size * GOAL / took)))
