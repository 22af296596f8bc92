"""Let a transactional test clean up behind itself: past the audit log's triggers, and without migrating's last step.

TransactionTestCase empties every table at its end, then creates content types, permissions and triggers again. Only
that one flush goes past the triggers, on either engine; what a test itself does never does. Content types and
permissions are the same for every test: they stay, so that nothing has to be created again.
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
    """A DELETE for each table, among those that put the triggers aside; they run in one transaction.

    To delete the few rows of a test is quicker than to TRUNCATE, which gives each table a new file.
    """
    tables = set(ops.connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
    deletes = [f"DELETE FROM {ops.quote_name(table)}" for table in sorted(tables)]
    if ops.connection.vendor == "postgresql":
        return ["; ".join(["SET LOCAL session_replication_role = replica", *deletes])]
    with ops.connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
    return [*(f'DROP TRIGGER "{name}"' for name, _ in triggers), *deletes, *(sql for _, sql in triggers)]
