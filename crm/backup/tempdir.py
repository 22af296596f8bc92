"""Temporary directories for building a backup or a database."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_directory(parent: Path, prefix: str) -> Iterator[Path]:
    """Create a directory below `parent`, accessible only to its owner, and delete it afterwards.

    Also if the process is terminated, which then exits with 128 plus the signal's number. After kill -9 it remains,
    under a name that can't be mistaken for a backup or database.
    """
    before = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with tempfile.TemporaryDirectory(prefix=prefix, suffix=".partial", dir=parent) as directory:
            yield Path(directory)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: object) -> None:
    sys.exit(128 + number)
