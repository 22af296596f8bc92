"""A user's wait on SQLite while an import writes, and the cost of the writers' queue when idle."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from django.db import connections, transaction

from bench.measure import Ratio, compare, percentile
from tests.kit.scratch import sqlite_database

SECONDS = 4.0  # per situation
OURS, DJANGO = "crm.kit.sqlite", "django.db.backends.sqlite3"
TABLES = (
    "CREATE TABLE contact (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, stage TEXT, updated REAL)",
    "CREATE INDEX contact_stage ON contact (stage, updated)",
    "CREATE INDEX contact_name ON contact (name)",
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, contact_id INTEGER, event TEXT, old TEXT, new TEXT)",
    "CREATE INDEX entry_contact ON entry (contact_id)",
)


def ratios(size: int) -> Iterator[Ratio]:
    """Yield the ratio of a short write transaction through the queue to Django's own backend."""
    with (
        tempfile.TemporaryDirectory() as ours,
        tempfile.TemporaryDirectory() as theirs,
        sqlite_database(Path(ours), alias="ours"),
        sqlite_database(Path(theirs), DJANGO, alias="theirs"),
    ):
        _create("ours")
        _create("theirs")
        take = compare(lambda: _save("ours"), lambda: _save("theirs"), times=500)
        yield Ratio("S1", "SQLite: save through the fair queue / Django's backend", 1.5, take)


def figures() -> Iterator[str]:
    """Run each situation and yield its figures (milliseconds)."""
    yield f"{'milliseconds':46} {'p50':>8} {'p95':>8} {'p99':>8} {'max':>8}"
    for name, engine, importing in (
        ("idle", OURS, _import_nothing),
        ("import, same process", OURS, _import_in_process),
        ("import, other process, small batches", OURS, _import_elsewhere),
        ("import, same process, Django's backend", DJANGO, _import_in_process),
    ):
        yield from _situation(name, engine, importing)


def _situation(name: str, engine: str, importing: Callable[[str, Path], None]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory, sqlite_database(Path(directory), engine) as alias:
        _create(alias)
        over = threading.Event()
        importer = threading.Thread(target=_until_over, args=(importing, alias, Path(directory), over))
        importer.start()
        saves, reads = _use(alias, over)
        importer.join()
        rows = _count(alias) - 1000
    yield _line(f"{name}: form save", saves)
    yield _line(f"{name}: list read", reads)
    if rows:
        yield f"{'':46} {rows / SECONDS:8,.0f} rows/s imported, an audit row each"


def _line(name: str, times: list[float]) -> str:
    values = [1000 * percentile(times, share) for share in (0.5, 0.95, 0.99, 1.0)]
    return f"{name:46} " + " ".join(f"{value:8.1f}" for value in values)


def _create(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        for sql in TABLES:
            cursor.execute(sql)
    write_batch(alias, 0, 1000)


def _count(alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM contact")
        return cursor.fetchone()[0]


def _until_over(importing, alias: str, directory: Path, over: threading.Event) -> None:
    try:
        importing(alias, directory)
    finally:
        over.set()
        connections[alias].close()


def _import_nothing(alias: str, directory: Path) -> None:
    time.sleep(SECONDS)


def _import_in_process(alias: str, directory: Path) -> None:
    for start in _batches(1000):
        write_batch(alias, start, 1000)


def _import_elsewhere(alias: str, directory: Path) -> None:
    subprocess.run([sys.executable, "-m", "bench.sqlite", directory], check=True)


def import_small_batches(directory: Path) -> None:
    """Import as a command does beside a running instance: a hundred rows, then ten milliseconds' pause."""
    with sqlite_database(directory) as alias:
        for start in _batches(100):
            write_batch(alias, start, 100)
            time.sleep(0.01)


def _batches(size: int) -> Iterator[int]:
    end = time.perf_counter() + SECONDS
    for start in count(1000, size):
        if time.perf_counter() > end:
            return
        yield start


def write_batch(alias: str, start: int, size: int) -> None:
    """Run one import transaction: look up known addresses, upsert, one audit row each."""
    rows = [(n, f"person{n}@example.com", f"Person {n}", "lead", time.time()) for n in range(start, start + size)]
    marks = ",".join(["%s"] * size)
    with transaction.atomic(alias), connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT id FROM contact WHERE email IN ({marks})", [row[1] for row in rows])
        cursor.fetchall()
        cursor.executemany("INSERT INTO contact VALUES (%s,%s,%s,%s,%s) ON CONFLICT (email) DO NOTHING", rows)
        entries = [(row[0], "contact.created", "{}", f'{{"name": "{row[2]}"}}') for row in rows]
        cursor.executemany("INSERT INTO entry (contact_id, event, old, new) VALUES (%s,%s,%s,%s)", entries)


def _use(alias: str, over: threading.Event) -> tuple[list[float], list[float]]:
    saves: list[float] = []
    reads: list[float] = []
    while not over.wait(0.01):
        saves.append(_timed(_save, alias))
        reads.append(_timed(_read, alias))
    return saves, reads


def _timed(action: Callable[[str], None], alias: str) -> float:
    started = time.perf_counter()
    action(alias)
    return time.perf_counter() - started


def _save(alias: str) -> None:
    with transaction.atomic(alias), connections[alias].cursor() as cursor:
        cursor.execute("UPDATE contact SET stage = 'qualified', updated = %s WHERE id = 7", [time.time()])
        cursor.execute("INSERT INTO entry (contact_id, event) VALUES (7, 'contact.qualified')")


def _read(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT * FROM contact WHERE stage = 'lead' ORDER BY updated DESC LIMIT 50")
        cursor.fetchall()


if __name__ == "__main__":
    import django

    django.setup()
    import_small_batches(Path(sys.argv[1]))
