"""Detection of writers waiting in other processes: each holds a lock on a file beside the database.

The kernel releases that lock however the process ends, and a check costs some microseconds.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def waiting(database: str | Path) -> Iterator[None]:
    """Signal that this process waits; does nothing if the file cannot be created."""
    try:
        file = _open(database)
    except OSError:
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_waited_for(database: str | Path) -> bool:
    """Return whether any process waits for the database."""
    try:
        with _open(database) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _open(database: str | Path) -> TextIO:
    """Open the file; in-memory databases, never shared, have none. Raises OSError."""
    if not Path(database).is_absolute():
        raise FileNotFoundError
    return Path(f"{database}.waiting").open("a")
