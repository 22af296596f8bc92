"""Export of a workspace's retired table: atomic, verified, and test-restored."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO

from django.db import DatabaseError, connection, transaction
from django.db.models import Model
from django.db.models.query import RawQuerySet

from audit.record import update_and_record
from audit.values import to_log
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.read_tracking import uncounted_reads
from crm.kit.scope import workspace
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.access import has_legacy_leads
from crm.legacy_leads.models import LegacyLead, OldLeads
from crm.legacy_leads.moving.run import check_role

FIELDS = LegacyLead._meta.concrete_fields
NAMES = [field.attname for field in FIELDS]
TABLE, TRIAL = LegacyLead._meta.db_table, "rehearsed_lead"
CHUNK = 2_000
NOTHING = _("There are no legacy leads in this workspace.")
ALTERED = _("{file} was cut off or altered, or is not an export of legacy leads. No changes were made.")
DIFFERS = _("{file} does not match the last export. Export again.")


def export(target: Path, *, by: Actor) -> int:
    """Write every legacy lead of the workspace in scope, trash included, to `target`; return how many.

    The file is verified before it gets its name. Raises NotAllowed for non-admins; Refused without rows or disk space,
    leaving any existing file unchanged.
    """
    check_role(by)
    if not has_legacy_leads():
        raise Refused(str(NOTHING))
    try:
        with uncounted_reads(), _beside(target) as work:
            rows, digest = _write(work)
            if _sum(_lines(work)) != (rows, digest):
                raise Refused(ALTERED.format(file=target))
            work.replace(target)
    except OSError as error:
        sentence = gettext("{file}: {problem}. Nothing was exported.")
        raise Refused(sentence.format(file=target, problem=error.strerror)) from None
    values = {"digest": digest, "rows": rows, "exported_at": clock.now(), "rehearsed_at": None}
    with transaction.atomic():
        update_and_record("old_leads.exported", OldLeads.objects.all(), values, by=by)
    return rows


def rehearse(source: Path, *, by: Actor) -> int:
    """Restore the last export `source` into a temporary table; return its row count.

    Raises NotAllowed; Refused if the file is incomplete, or differs from what was exported.
    """
    check_role(by)
    retired = OldLeads.objects.filter(dropped_at__isnull=True).first()
    if retired is None:
        raise Refused(str(NOTHING))
    try:
        with uncounted_reads(), _trial_table():
            rows = _read(source)
            while chunk := list(islice(rows, CHUNK)):
                _insert(chunk)
            found = digest(_table(TRIAL))
    except OSError as error:
        raise Refused(f"{source}: {error.strerror}.") from None
    if found != (retired.rows, retired.digest):
        raise Refused(DIFFERS.format(file=source))
    with transaction.atomic():
        update_and_record("old_leads.rehearsed", OldLeads.objects.all(), {"rehearsed_at": clock.now()}, by=by)
    return found[0]


def digest(rows: Iterable[Model]) -> tuple[int, str]:
    """Return the number of legacy leads, and the SHA-256 of their lines in a file."""
    return _sum(map(_line, rows))


def table() -> Iterator[LegacyLead]:
    """Yield every legacy lead of the workspace in scope, by key."""
    return _table(TABLE)


def _table(name: str) -> Iterator[LegacyLead]:
    quoted, last = connection.ops.quote_name(name), 0
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in FIELDS)
    sql = f"SELECT {columns} FROM {quoted} WHERE workspace_id = %s AND id > %s ORDER BY id LIMIT {CHUNK}"
    while chunk := list(RawQuerySet(sql, model=LegacyLead, params=(workspace().pk, last))):
        yield from chunk
        last = chunk[-1].pk


def _line(lead: Model) -> bytes:
    return _json([to_log(getattr(lead, name)) for name in NAMES])


def _json(value: Any) -> bytes:
    return (json.dumps(value, sort_keys=True) + "\n").encode()


def _sum(lines: Iterable[bytes]) -> tuple[int, str]:
    total, count = sha256(), 0
    for line in lines:
        total.update(line)
        count += 1
    return count, total.hexdigest()


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a file beside `target`, removed at the end unless renamed to it."""
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        work = Path(file.name)
    try:
        yield work
    finally:
        work.unlink(missing_ok=True)


def _write(path: Path) -> tuple[int, str]:
    with path.open("wb") as file:
        file.write(_json({"workspace": workspace().slug, "columns": NAMES}))
        rows, digest = _sum(_written(file, map(_line, table())))
        file.write(_json({"rows": rows, "sha256": digest}))
        file.flush()
        os.fsync(file.fileno())
    return rows, digest


def _written(file: BinaryIO, lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        file.write(line)
        yield line


def _read(path: Path) -> Iterator[list]:
    return map(json.loads, _lines(path))


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the row lines. Raises Refused unless header and footer are present and correct."""
    total, count, held = sha256(), 0, b""
    with path.open("rb") as file:
        if _told(file.readline(), path).get("columns") != NAMES:
            raise Refused(ALTERED.format(file=path))
        for line in file:
            if held:
                total.update(held)
                count += 1
                yield held
            held = line
    if _told(held, path) != {"rows": count, "sha256": total.hexdigest()}:
        raise Refused(ALTERED.format(file=path))


def _told(line: bytes, path: Path) -> dict:
    try:
        told = json.loads(line)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Refused(ALTERED.format(file=path))
    return told


@contextmanager
def _trial_table() -> Iterator[None]:
    """Create an empty temporary table like the retired one."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TRIAL}")
        cursor.execute(f"CREATE TEMPORARY TABLE {TRIAL} AS SELECT * FROM {TABLE} WHERE 1 = 0")
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {TRIAL}")


def _insert(rows: list[list]) -> None:
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in FIELDS)
    marks = ", ".join(["%s"] * len(FIELDS))
    stored = (
        [field.get_db_prep_save(field.to_python(value), connection) for field, value in zip(FIELDS, row, strict=True)]
        for row in rows
    )
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {TRIAL} ({columns}) VALUES ({marks})", list(stored))
