"""What a database holds, in numbers: by them a restored copy is known to be the one that was made."""

from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from audit.sealing import last_seal
from crm.kit.migrated import is_migrated
from crm.kit.read_tracking import uncounted_reads
from crm.kit.scope import in_workspace
from crm.users.models import Workspace

# A session's key is as good as a password while it lasts, and restoring would bring back those that were ended. The
# counters of sign-ins are of an hour that is over.
LEFT_OUT = ("django_session", "usersessions_usersession", "counters")


def manifest() -> dict[str, Any]:
    """Rows of each table, the migrations applied, and the head of each workspace's audit chain."""
    return {"rows": row_counts(), "migrations": migrations(), "heads": heads() if is_migrated() else {}}


def row_counts() -> dict[str, int]:
    """How many rows each table has, in one statement: all at the same moment."""
    quote = connection.ops.quote_name
    with uncounted_reads(), connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {quote(table)}" for table in tables))
        return dict(cursor.fetchall())


def migrations() -> list[str]:
    """The migrations applied, as app.name."""
    return sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations())


def known_migrations() -> set[str]:
    """The migrations of this release, as app.name."""
    return {".".join(key) for key in MigrationLoader(None).disk_migrations}


def heads() -> dict[str, str]:
    """slug → the hash of the last seal, for each workspace."""
    found = {}
    for workspace in Workspace.objects.order_by("slug"):
        with in_workspace(workspace):
            found[workspace.slug] = last_seal()[1]
    return found
