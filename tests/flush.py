"""Let a transactional test clean up behind itself: the audit log's triggers refuse that too, as they should.

TransactionTestCase empties every table at its end. Only that one flush goes past the triggers, on either engine; what a
test itself does never does.
"""

import pytest


@pytest.fixture(autouse=True, scope="session")
def flush_past_triggers():
    """Wrap the flush of both engines for the whole run."""
    from django.db.backends.base.operations import BaseDatabaseOperations  # pytest loads us before Django is set up

    patch = pytest.MonkeyPatch()
    flush = BaseDatabaseOperations.execute_sql_flush
    patch.setattr(BaseDatabaseOperations, "execute_sql_flush", lambda ops, sql: flush(ops, _without_triggers(ops, sql)))
    yield
    patch.undo()


def _without_triggers(ops, flush: list[str]) -> list[str]:
    """The statements of a flush, among those that put the triggers aside; they run in one transaction."""
    if ops.connection.vendor == "postgresql":
        return ["SET LOCAL session_replication_role = replica", *flush]
    with ops.connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
    return [*(f'DROP TRIGGER "{name}"' for name, _ in triggers), *flush, *(sql for _, sql in triggers)]
