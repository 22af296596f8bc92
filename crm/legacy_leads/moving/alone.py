"""A lock for one migration at a time, released however its process ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from django.db import connection

from crm.kit.errors import Refused
from crm.kit.scope import workspace_id
from crm.kit.translation import gettext_lazy as _

KIND = crc32(b"migrate_leads") & 0x7FFFFFFF  # PostgreSQL's advisory locks take two 32-bit numbers
BUSY = _("Another process is migrating the legacy leads of this workspace. Wait until it ends.")


class AlreadyMigrating(Refused):
    """Another process holds the migration lock."""


@contextmanager
def alone() -> Iterator[None]:
    """Hold the migration lock of the workspace in scope. Raises AlreadyMigrating if another process or thread does."""
    with _by_file() if connection.vendor == "sqlite" else _by_session():
        yield


@contextmanager
def _by_session() -> Iterator[None]:
    key = [KIND, workspace_id()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        if not cursor.fetchone()[0]:
            raise AlreadyMigrating(str(BUSY))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


@contextmanager
def _by_file() -> Iterator[None]:
    database = Path(connection.settings_dict["NAME"]).resolve()
    if not database.exists():  # in memory: not shared
        yield
        return
    with database.with_name(f"{database.name}.migrate_leads-{workspace_id()}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyMigrating(str(BUSY)) from None
        yield
