"""What an import costs beyond the rows it writes: reading, checking, matching, deciding, against COPY of those rows."""

import io
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
    """Ratio 5: new people, each with company, stage and date, into tables with all their indexes."""
    create_workspace("imports", by=system(0))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "people.csv"
        file.write_text(people(size), encoding="utf-8")
        name = "COPY of the rows an import writes / the import"
        yield Ratio("5", name, 0.7, lambda: _take(file), at_most=False, rounds=5)


def people(size: int, start: int = 0) -> str:
    """A file of `size` people, twenty to a company, numbered from `start`."""
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


def _import(file: Path) -> float:
    """The command as people run it; ends with an exit status, and so the benchmark, when a row is refused."""
    started = time.perf_counter()
    call_command("import_contacts", str(file), workspace="imports", stdout=io.StringIO())
    return time.perf_counter() - started


def _empty() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # past the log's trigger, here alone
        cursor.execute(f"TRUNCATE {', '.join(WRITTEN)} CASCADE")
