"""Cost of an import beyond its writes: reading, checking, matching and deciding, against COPY of its rows."""

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.core.management import call_command
from django.db import connection, transaction

from bench.copying import dump, seconds_to_copy
from bench.measure import Ratio
from crm.kit.actor import system
from crm.users.verbs.create_workspace import create_workspace

WRITTEN = (
    "contacts_company",
    "contacts_contact",
    "leads_lead",
    "leads_score",
    "events_event",
    "audit_entry",
    "lifecycle_transition",
)
HEADER = "External ID,First name,Last name,E-mail,Phone,Title,Company,Lead source,Stage,Created"
FIRST = ("Ana", "Bo", "Chloé", "Dmitri", "Eun-ji", "Fatima", "Gül", "Håkon", "Ines", "Jürgen")
LAST = ("Ruiz", "Nakamura", "O’Neill", "Petrović", "Quist", "Ødegård", "Sánchez", "Türk", "Ural", "Vogel")
TITLES = ("Fleet manager", "Operations lead", "CFO", "Head of mobility", "Dispatcher")
SOURCES = ("web", "event", "referral", "paid_search", "partner")
STAGES = ("Lead", "lead", "Qualified", "Customer", "", "Lost")


def ratios(size: int) -> Iterator[Ratio]:
    """Yield ratios 5, 5b and 5c: new people with company, stage and date, into fully indexed tables."""
    create_workspace("imports", by=system(0))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "people.csv"
        file.write_text(people(size), encoding="utf-8")
        name = "COPY of the rows an import writes / the import"
        yield Ratio("5", name, 0.7, lambda: _take(file), at_most=False, rounds=5)
        name = "COPY and upsert of the plain contacts / the import"
        yield Ratio("5b", name, 0.25, lambda: _take_plain(file), at_most=False, rounds=5)
        file.write_text(people(max(size // 10, 100)), encoding="utf-8")
        name = "SQLite: executemany of the plain contacts / the import"
        yield Ratio("5c", name, 0.07, lambda: _take_sqlite(file), at_most=False, rounds=5)


def figures() -> Iterator[str]:
    """Yield an import's rows per contact, which 5b and 5c relate to one row."""
    with tempfile.TemporaryDirectory() as directory:
        file, count = Path(directory) / "people.csv", 1_000
        file.write_text(people(count), encoding="utf-8")
        _empty()
        _import(file)
        with connection.cursor() as cursor:
            for table in WRITTEN:
                cursor.execute(f"SELECT count(*) FROM {table}")
                yield f"{table:28} {cursor.fetchone()[0] / count:6.2f} rows a contact"
        _empty()


def people(size: int, start: int = 0) -> str:
    """Return a file of `size` people, twenty to a company, numbered from `start`."""
    lines = [HEADER]
    for n in range(start, start + size):
        first, last = FIRST[n % 10], LAST[n // 10 % 10]
        lines.append(
            f"crm-{n:08d},{first},{last},person.{n}@firm{n // 20}.example,+34 6{n:08d},{TITLES[n % 5]},"
            f"Firm {n // 20},{SOURCES[n % 5]},{STAGES[n % 6]},2025-{n % 12 + 1:02d}-{n % 28 + 1:02d} 10:30"
        )
    return "\n".join(lines)


def _take(file: Path) -> float:
    _empty()
    importing = _import(file)
    written = {table: dump(table) for table in WRITTEN}
    _empty()
    return seconds_to_copy(written) / importing


def _take_plain(file: Path) -> float:
    _empty()
    importing = _import(file)
    contacts = dump("contacts_contact")
    _empty()
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SET LOCAL session_replication_role = replica")  # no company to link to
        cursor.execute("CREATE TEMP TABLE plain (LIKE contacts_contact) ON COMMIT DROP")
        with cursor.copy("COPY plain FROM STDIN") as copy:
            copy.write(contacts)
        cursor.execute(
            "INSERT INTO contacts_contact SELECT * FROM plain ON CONFLICT (id) DO UPDATE SET name = excluded.name"
        )
    plain = time.perf_counter() - started
    _empty()
    return plain / importing


def _take_sqlite(file: Path) -> float:
    with tempfile.TemporaryDirectory(prefix="throughline-") as directory:
        environ = os.environ | {"DATA_DIR": directory, "DATABASE_URL": ""}
        command = [sys.executable, "-m", "bench.sqlite_import", str(file)]
        done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def _import(file: Path) -> float:
    """Run the command like a user; a rejected row ends it, and the benchmark, with an exit status."""
    started = time.perf_counter()
    call_command("import_contacts", str(file), workspace="imports", stdout=io.StringIO())
    return time.perf_counter() - started


def _empty() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # skips the log's trigger, only here
        cursor.execute(f"TRUNCATE {', '.join(WRITTEN)} CASCADE")
