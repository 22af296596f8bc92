"""The bell: a commit wakes the relay, which would otherwise look within a second.

A bell that is not heard (another process on SQLite, a pooler that does not pass LISTEN on) costs that second.
"""

import threading

from django.db import connection, transaction

CHANNEL = "throughline_events"
_rung = threading.Event()


# Why: docs/decisions/0012-notify-after-commit.md
def wake_on_commit() -> None:
    """Ring once the transaction commits, once however often it is asked for.

    Not NOTIFY inside the transaction: PostgreSQL would make all commits that notify wait for one another.
    """
    if not any(call is _ring for _, call, *_ in connection.run_on_commit):
        transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    else:
        _rung.set()


def wait(seconds: float) -> None:
    """Return when the bell rings, or after `seconds`."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")  # again after a lost connection; a second time does nothing
        for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
            pass
    else:
        _rung.wait(seconds)
        _rung.clear()
