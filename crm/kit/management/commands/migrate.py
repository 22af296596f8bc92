"""Django's migrate, safe beside running instances on PostgreSQL; then analyzes tables that never were.

Why: docs/decisions/0064-migrations-give-way.md
"""

import time

from django.core.management.commands import migrate
from django.db import OperationalError, connections

from crm.kit import statistics
from crm.kit.read_tracking import uncounted_reads
from crm.kit.translation import ngettext

LOCK_TIMEOUT = "2s"
ATTEMPTS = 20
PAUSE = 1.0  # seconds for waiting requests to finish
ONE_AT_A_TIME = 7_468_272_001  # arbitrary number of our advisory lock


class Command(migrate.Command):
    """Command that gives up a lock after two seconds and retries, so that no request waits longer for a migration."""

    def execute(self, *args, **options):
        with uncounted_reads():
            return super().execute(*args, **options)

    def handle(self, *args, **options):
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return statistics.analyze_all()
        for left in range(ATTEMPTS - 1, -1, -1):
            try:
                result = self._attempt(connection, *args, **options)
                statistics.analyze_all()
                return result
            except OperationalError as error:
                if not (left and _lock_not_available(error)):
                    raise
            sentence = ngettext(
                "The tables are in use. Trying again, {count} attempt left.",
                "The tables are in use. Trying again, {count} attempts left.",
                left,
            )
            self.stderr.write(sentence.format(count=left))
            time.sleep(PAUSE)
        return None

    def _attempt(self, connection, *args, **options):
        _run(connection, f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        try:
            _run(connection, f"SELECT pg_advisory_lock({ONE_AT_A_TIME})")
            result = super().handle(*args, **options)
            _run(connection, "SELECT pg_advisory_unlock_all()")
            _run(connection, "RESET lock_timeout")
        except BaseException:
            # A schema change that fails in its deferred SQL leaves Django's transaction open forever: reconnect, which
            # also releases the advisory lock and the timeout.
            connection.close()
            with connection.wrap_database_errors:
                connection.connect()
            raise
        return result


def _run(connection, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _lock_not_available(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == "55P03"
