"""Who waits for SQLite's write lock in another process: a file beside the database, locked for as long as they wait.

The kernel lets go of the file's lock however the process ends, and to look costs some microseconds.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def waiting(database: str | Path) -> Iterator[None]:
    """Be seen to wait. Where the file cannot be made, nobody sees it."""
    try:
        file = _open(database)
    except OSError:
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_waited_for(database: str | Path) -> bool:
    """Whether anyone waits for the database, in whatever process."""
    try:
        with _open(database) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _open(database: str | Path) -> TextIO:
    """The file; there is none for a database in memory, which no other process uses. Raises OSError."""
    if not Path(database).is_absolute():
        raise FileNotFoundError
    return Path(f"{database}.waiting").open("a")
