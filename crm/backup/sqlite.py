"""SQLite: a copy by VACUUM INTO, verified before it replaces the database.

Why: docs/decisions/0060-sqlite-backup-is-vacuum-into.md
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from crm.backup.archive import put_in_place
from crm.backup.manifest import LEFT_OUT, manifest, row_counts
from crm.kit.errors import Refused
from crm.kit.instance import AlreadyRunning, claim
from crm.kit.translation import gettext as _

MEMBER = "database.sqlite3"


def dump(target: Path) -> dict[str, Any]:
    """Copy a snapshot of the database to `target` without blocking writers. Return the copy's manifest.

    Not the online backup API: it restarts at each write and never ends while users work. Not cp: it misses the
    write-ahead log.
    """
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(target)])
    with _opened(target):
        _empty(LEFT_OUT)
        _check()
        return manifest()


def directory() -> Path:
    """Return the directory for unpacking, on the copy's final file system."""
    return _path().parent


def name() -> str:
    return _path().name


def is_empty() -> bool:
    if not _path().exists() or not _path().stat().st_size:
        return True
    with connection.cursor() as cursor:
        return not connection.introspection.table_names(cursor)


@contextmanager
def loaded(copy: Path, expected: dict[str, int]) -> Iterator[None]:
    """Use the copy as the database inside the block, and for everyone after it; an exception changes nothing.

    Raises Refused while the database is in use, and if the copy lacks the `expected` rows.
    """
    is_empty()  # reads: on close, a killed process's write-ahead log is then merged into the file
    connection.close()
    try:
        lock = claim(_path())
    except AlreadyRunning as error:
        raise Refused(str(error)) from None
    with lock:
        # The last to close a database removes its write-ahead log, which would damage the new file.
        if _path().with_name(f"{name()}-wal").exists():
            sentence = _("Another command is using {file}. Wait until it has finished, or stop it.")
            raise Refused(sentence.format(file=_path()))
        with _opened(copy):
            _check()
            if different := {table for table, count in (row_counts().items() ^ expected.items())}:
                sentence = _("Table {table} doesn’t have as many rows as the backup lists.")
                raise Refused(sentence.format(table=min(different)))
            yield
        put_in_place(copy, _path())


def _path() -> Path:
    return Path(connection.settings_dict["NAME"])


@contextmanager
def _opened(path: Path) -> Iterator[None]:
    """Use `path` as the database inside the block."""
    connection.close()
    own, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own


def _empty(tables: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete = ON")  # erases the deleted rows from freed pages too
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")


def _check() -> None:
    with connection.cursor() as cursor:
        for check, good in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
            cursor.execute(f"PRAGMA {check}")
            found = cursor.fetchall()
            if found != good:
                sentence = _("The database is damaged. SQLite’s {check} found: {problem}.")
                raise Refused(sentence.format(check=check, problem=" ".join(map(str, found[0]))))
