"""Rows out of tables and into them by COPY: what a job that writes rows is held against."""

import time

from django.db import connection, transaction


def dump(rows: str) -> bytes:
    """The rows of a table, or of a query in parentheses, as COPY writes them."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {rows} TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy)


def seconds_to_copy(written: dict[str, bytes]) -> float:
    """How long COPY takes to write rows, by table, in one transaction."""
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table, rows in written.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(rows)
    return time.perf_counter() - started
