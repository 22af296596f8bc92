"""Cleanup of transactional tests: bypasses the audit log's triggers, and skips the last step of migrate.

TransactionTestCase empties every table at its end, then recreates content types, permissions and triggers. Only that
flush bypasses the triggers, on both engines; tests themselves never do. Content types and permissions are equal for all
tests, so they are kept.
"""

import pytest

KEPT = {"django_content_type", "auth_permission"}


@pytest.fixture(autouse=True, scope="session")
def flush_past_triggers():
    """Wrap the flush of both engines for the whole run."""
    from django.core.management.commands import flush  # pytest loads us before Django is set up
    from django.db.backends.base.operations import BaseDatabaseOperations

    patch = pytest.MonkeyPatch()
    execute = BaseDatabaseOperations.execute_sql_flush
    patch.setattr(BaseDatabaseOperations, "execute_sql_flush", lambda ops, _: execute(ops, _statements(ops)))
    patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **kwargs: None)
    yield
    patch.undo()


def _statements(ops) -> list[str]:
    """Return a DELETE per table, between disabling and enabling the triggers; run in one transaction.

    DELETE of a test's few rows is faster than TRUNCATE, which gives each table a new file.
    """
    tables = set(ops.connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
    deletes = [f"DELETE FROM {ops.quote_name(table)}" for table in sorted(tables)]
    if ops.connection.vendor == "postgresql":
        return ["; ".join(["SET LOCAL session_replication_role = replica", *deletes])]
    with ops.connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
    return [*(f'DROP TRIGGER "{name}"' for name, _ in triggers), *deletes, *(sql for _, sql in triggers)]
