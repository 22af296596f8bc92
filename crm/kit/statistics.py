"""Planner statistics, kept fresh during bulk writes.

A table that was never analyzed counts as empty: PostgreSQL then reads all of it for each of a thousand rows, and SQLite
takes the index that begins with the workspace for a key. Autovacuum runs a minute later, sees nothing of an open
transaction, and may be off. So bulk writers call analyze_if_grown(), which immediately analyzes a table that has
tripled. A statement that joins many rows still gets them by key where possible, as an array.

Why: docs/decisions/0061-bulk-writers-analyze-tables.md
"""

from django.db import connection, models

LEAST = {"postgresql": 1_000, "sqlite": 200}  # rows written before a table is checked
GROWTH = 2  # times the planner's row count
TARGET = 20  # PostgreSQL's statistics_target: 6,000 rows instead of 30,000, until autovacuum runs
# Rows that SQLite samples per index, so that any table takes some milliseconds. It estimates half as many rows per
# workspace; with 400 it preferred the workspace's index to the few records that a link leads to.
LIMIT = 4_000
UNHELPFUL = (models.JSONField, models.TextField)  # wide, and compared in ways that statistics do not help

_written: dict[tuple[str, str], int] = {}  # rows since the last check, by database and table
_due: dict[tuple[str, str], int] = {}


def analyze_if_grown(model: type[models.Model], rows: int) -> None:
    """Count `rows` inserted; analyze the table once they are many compared with the planner's row count.

    Works inside a transaction, for its later statements.
    """
    table = model._meta.db_table
    key = (str(connection.settings_dict["NAME"]), table)
    written = _written[key] = _written.get(key, 0) + max(rows, 0)
    if written < _due.get(key, LEAST[connection.vendor]):
        return
    known = _known(table)
    enough = max(LEAST[connection.vendor], GROWTH * known)
    if written >= enough:
        _analyze(table, _columns(model))
        written, enough = 0, max(LEAST[connection.vendor], GROWTH * _known(table))
    _written[key], _due[key] = written, enough


def analyze_all(*, grown: bool = False) -> None:
    """Analyze the tables: on SQLite all, one by one to keep the write lock short.

    On PostgreSQL those never analyzed, e.g. after a restore, and with `grown` those changed by a fifth since.
    """
    for table in _tables(grown):
        _analyze(table)


def _tables(grown: bool) -> list[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%%'")
        else:
            changed = "OR s.n_mod_since_analyze > 1000 + s.n_live_tup / 5" if grown else ""
            cursor.execute(
                "SELECT c.relname FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid"
                f" WHERE s.schemaname = current_schema() AND (c.reltuples < 0 {changed})"
            )
        return [name for (name,) in cursor.fetchall()]


def _known(table: str) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [connection.ops.quote_name(table)]
            )
            return max(0, int(cursor.fetchone()[0]))
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = %s LIMIT 1", [table])
        found = cursor.fetchone()
        return int(found[0].split()[0]) if found else 0


def _columns(model: type[models.Model]) -> list[str]:
    return [str(f.column) for f in model._meta.concrete_fields if not isinstance(f, UNHELPFUL)]


def _analyze(table: str, columns: list[str] | None = None) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {LIMIT}")
            cursor.execute(f"ANALYZE {quote(table)}")
        else:
            # Two transactions analyzing one table could deadlock with each other's row locks.
            if not columns:
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {quote(table)}")
                return
            cursor.execute(f"SET default_statistics_target = {TARGET}")
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {quote(table)} ({', '.join(map(quote, columns))})")
            cursor.execute("RESET default_statistics_target")
