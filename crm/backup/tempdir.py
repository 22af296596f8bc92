"""Where a backup or a database is put together before it takes its place."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_directory(parent: Path, prefix: str) -> Iterator[Path]:
    """A directory below `parent`, its owner's alone, gone afterwards.

    Also when the process is told to stop: then it ends with 128 and the number of the signal. Only after kill -9 it
    stays, under a name that nobody takes for a backup or a database.
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
