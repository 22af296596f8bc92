"""Django's SQLite backend with a fair queue: writers are served in order of arrival.

The queue orders the threads of one process. Between processes SQLite's own lock decides, so a job in another process
writes in small batches and pauses while a writer waits (see courtesy.py).

Why: docs/decisions/0057-sqlite-by-default.md
"""

import re
import time
from collections import defaultdict

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from crm.kit.sqlite import added_functions
from crm.kit.sqlite.queue import FairLock, Turn
from crm.kit.sqlite.waiting import is_waited_for, waiting
from crm.kit.timelimit import statement_limit

LOOK = 0.001  # seconds
STEPS = 50_000  # steps of SQLite's machine, about a millisecond, between clock checks: each waits for Python's lock
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|ANALYZE)\b", re.IGNORECASE)

_locks: defaultdict[str, FairLock] = defaultdict(FairLock)  # by the file's name


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that queues before BEGIN IMMEDIATE and before each write outside a transaction."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._lock = FairLock()
        self._turn: Turn | None = None
        self._deadline: float | None = None
        self._since = 0.0
        self.held = 0.0  # seconds that the last transaction held the write lock
        self.was_awaited = False  # whether another process waited for the lock at the end of the last transaction
        self.execute_wrappers += [self._queue_write, self._limit_time]

    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        self._lock = _locks[str(conn_params["database"])]
        self._deadline = None
        for name, arguments, function in added_functions():
            connection.create_function(name, arguments, function, deterministic=True)
        return connection

    def _start_transaction_under_autocommit(self):
        self._take_turn()
        try:
            self._begin()
        finally:
            self._end_turn_unless_writing()

    def _begin(self) -> None:
        """Poll for the write lock. Raises OperationalError after the timeout.

        SQLite's own polling slows down to every 100 ms and misses the pauses of a job in another process. Only the
        first in this process's queue polls.
        """
        timeout = self.settings_dict["OPTIONS"].get("timeout", 5)
        deadline = time.monotonic() + timeout
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            if not self._has_begun(deadline):
                with waiting(self.settings_dict["NAME"]):
                    while not self._has_begun(deadline):
                        time.sleep(LOOK)
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {1000 * timeout:.0f}")

    def _has_begun(self, deadline: float) -> bool:
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= deadline:
                raise
            return False
        self._since = time.perf_counter()
        return True

    def _commit(self):
        self._look_around()
        try:
            super()._commit()
        finally:  # a failed commit leaves the transaction open, and the rollback that follows ends the turn
            self._end_turn_unless_writing()

    def _rollback(self):
        self._look_around()
        try:
            super()._rollback()
        finally:
            self._end_turn_unless_writing()

    def _look_around(self) -> None:
        """Check for waiters before releasing the lock: afterwards a waiter could already have had it and left."""
        self.was_awaited = is_waited_for(self.settings_dict["NAME"])

    def _close(self):
        try:
            super()._close()
        finally:
            self._end_turn()

    def _queue_write(self, execute, sql, params, many, context):
        if self._turn or self.connection.in_transaction or not WRITES.match(sql):
            return execute(sql, params, many, context)
        self._take_turn()
        try:
            with waiting(self.settings_dict["NAME"]):
                return execute(sql, params, many, context)
        finally:
            self._end_turn_unless_writing()

    def _limit_time(self, execute, sql, params, many, context):
        """Set the statement's time limit, which includes fetching, because SQLite finds rows lazily."""
        seconds = statement_limit()
        if bool(seconds) != (self._deadline is not None):
            self.connection.set_progress_handler(self._is_late if seconds else None, STEPS)
        self._deadline = time.monotonic() + seconds if seconds else None
        return execute(sql, params, many, context)

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() > self._deadline

    def _take_turn(self) -> None:
        timeout = self.settings_dict["OPTIONS"].get("timeout", 5)
        try:
            self._turn = self._lock.acquire(timeout)
        except TimeoutError:
            why = f"database is locked: other threads kept writing for {timeout} s"  # not a text
            raise OperationalError(why) from None

    def _end_turn_unless_writing(self) -> None:
        if self.connection is None or not self.connection.in_transaction:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._turn:
            self.held = time.perf_counter() - self._since
            self._lock.release(self._turn)
            self._turn = None
