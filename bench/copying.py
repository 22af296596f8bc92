"""COPY of rows from and to tables, the baseline of jobs that write rows."""

import time

from django.db import connection, transaction


def dump(rows: str) -> bytes:
    """Return the rows of a table, or of a query in parentheses, in COPY format."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {rows} TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy)


def seconds_to_copy(written: dict[str, bytes]) -> float:
    """Return the seconds COPY takes to write rows by table, in one transaction, without gathering statistics.

    Without statistics PostgreSQL checks each foreign key over an index of the whole workspace: hours for 100,000 rows.
    """
    gathering = 0.0
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table, rows in written.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(rows)
            copied = time.perf_counter()
            cursor.execute(f"ANALYZE {table}")
            gathering += time.perf_counter() - copied
    return time.perf_counter() - started - gathering
