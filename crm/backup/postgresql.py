"""PostgreSQL: pg_dump of an exported snapshot, loaded and checked in one transaction."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from psycopg.conninfo import make_conninfo

from crm.backup.manifest import LEFT_OUT, manifest
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _

MEMBER = "database.dump"
# Only owners may comment on extensions; owners and grants belong to the new server.
PLAIN = ("--no-owner", "--no-privileges", "--no-comments")


def dump(target: Path) -> dict[str, Any]:
    """Write a snapshot of the database to `target` without blocking writers. Return the snapshot's manifest."""
    program = _program("pg_dump")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        found = manifest()
        left_out = [f"--exclude-table-data=*.{table}" for table in LEFT_OUT]
        _run(program, "--format=custom", *PLAIN, f"--snapshot={snapshot}", *left_out, f"--file={target}", _address())
    return found | {"rows": found["rows"] | dict.fromkeys(LEFT_OUT, 0)}


def directory() -> Path:
    return settings.MEDIA_ROOT.parent


def name() -> str:
    return connection.settings_dict["NAME"]


def is_empty() -> bool:
    with connection.cursor() as cursor:
        return not connection.introspection.table_names(cursor)


@contextmanager
def loaded(copy: Path, expected: dict[str, int]) -> Iterator[None]:
    """Load the dump in place of the current data, available inside the block; all of it or nothing.

    Raises Refused while others are connected, and if the dump lacks the `expected` rows.
    """
    pg_restore, psql = _program("pg_restore"), _program("psql")
    _refuse_company()
    steps = {step: copy.with_name(f"{step}.sql") for step in ("empty", "load", "check")}
    steps["empty"].write_text(_emptying())
    _run(pg_restore, *PLAIN, f"--file={steps['load']}", str(copy))
    steps["check"].write_text(_checking(expected))
    files = [f"--file={path}" for path in steps.values()]
    _run(psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", *files, _address())
    yield


def _refuse_company() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        if cursor.fetchone()[0]:
            sentence = _("Other programs use the database {name}. Stop Throughline and all other connections.")
            raise Refused(sentence.format(name=name()))


def _emptying() -> str:
    """Return SQL that drops all tables and functions, except those of extensions."""
    with connection.cursor() as cursor:
        tables = [connection.ops.quote_name(table) for table in connection.introspection.table_names(cursor)]
        cursor.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace "
            "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
        drops = [f"DROP FUNCTION {function} CASCADE;" for (function,) in cursor.fetchall()]
    return "\n".join(
        ["SET client_min_messages = warning;", *(f"DROP TABLE {table} CASCADE;" for table in tables), *drops]
    )


def _checking(expected: dict[str, int]) -> str:
    """Return SQL that fails for the first table with another row count."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        schema = cursor.fetchone()[0]
    if strange := [table for table in expected if not re.fullmatch("[a-z0-9_]+", table)]:
        raise Refused(_("“{name}” isn’t a valid table name.").format(name=strange[0]))
    checks = [
        f"IF (SELECT count(*) FROM {schema}.{table}) <> {int(count)} THEN RAISE EXCEPTION "
        f"'Table {table} doesn''t have as many rows as the backup lists.'; END IF;"
        for table, count in expected.items()
    ]
    return "DO $check$ BEGIN\n" + "\n".join(checks) + "\nEND $check$;"


def _program(name: str) -> str:
    """Return the path of a PostgreSQL program. Raises Refused if it is missing or older than the server."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10_000
    program = shutil.which(name)
    if program is None:
        sentence = _("{name} isn’t on the PATH. Install the PostgreSQL client programs, version {version} or newer.")
        raise Refused(sentence.format(name=name, version=server))
    output = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    version = re.search(r"\d+", output)
    if version is None or int(version[0]) < server:
        sentence = _("{program} is older than the server ({output}). Install version {version} or newer.")
        raise Refused(sentence.format(program=program, output=output.strip(), version=server))
    return program


def _address() -> str:
    """Return the database as libpq's option; the password goes into the environment, hidden from other users."""
    own = connection.settings_dict
    parts = {"dbname": own["NAME"], "user": own["USER"], "host": own["HOST"], "port": own["PORT"], **own["OPTIONS"]}
    return "--dbname=" + make_conninfo(**{key: value for key, value in parts.items() if value})


def _run(program: str, *arguments: str) -> None:
    password = connection.settings_dict["PASSWORD"]
    environ = os.environ | ({"PGPASSWORD": password} if password else {})
    done = subprocess.run([program, *arguments], env=environ, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [_("no reason given")])[0]
        raise Refused(_("{program} failed: {reason}").format(program=Path(program).name, reason=why))
