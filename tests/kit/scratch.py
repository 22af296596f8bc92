"""A SQLite database separate from the tests' own, with production settings, on any engine of the suite."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections

from crm.environment import read


@contextmanager
def sqlite_database(directory: Path, engine: str = "crm.kit.sqlite", alias: str = "scratch") -> Iterator[str]:
    """Open `directory`/scratch.sqlite3 as a database alias for every thread; yield the alias."""
    database = read(directory, {"DATABASE_URL": f"sqlite:///{directory}/scratch.sqlite3"}).database
    defaults = {key: value for key, value in connections.databases["default"].items() if key not in database}
    unused = {"ATOMIC_REQUESTS": False, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "TIME_ZONE": None}
    connections.databases[alias] = defaults | unused | database | {"ENGINE": engine}
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]
