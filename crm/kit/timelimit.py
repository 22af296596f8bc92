"""A bound on how long a query may run: what no index serves ends with a sentence rather than a waiting page."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

from crm.kit.errors import DomainError


class TooSlow(DomainError):
    """A query did not finish within its time limit."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Stop the block's queries after `seconds` each (PostgreSQL) or in all (SQLite). Raises TooSlow."""
    try:
        with _limit(seconds):
            yield
    except OperationalError as error:
        if "statement timeout" in str(error) or "interrupted" in str(error):
            raise TooSlow(
                f"This takes longer than {seconds:g} seconds, because no index helps to find these records. "
                "Narrow it by stage, owner, team or last activity."
            ) from None
        raise


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{int(seconds * 1000)}ms"])
            yield
        return
    # No transaction here: it would take SQLite's one write lock, and a search would wait for whoever is importing.
    connection.ensure_connection()
    end = time.monotonic() + seconds
    connection.connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)
