"""The bell: a commit wakes the relay, which otherwise polls every second.

An unheard bell (another process on SQLite, a pooler without LISTEN) costs that second.
"""

import threading

from django.db import connection, transaction

CHANNEL = "throughline_events"
_rung = threading.Event()


# Why: docs/decisions/0012-notify-after-commit.md
def wake_on_commit() -> None:
    """Ring once when the transaction commits, however often this is called.

    Not NOTIFY inside the transaction: PostgreSQL would serialize all notifying commits.
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
    """Return when the bell rings or after `seconds`."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")  # again after a lost connection; repeating it does nothing
        for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
            pass
    else:
        _rung.wait(seconds)
        _rung.clear()
