"""Counts of a database's contents, to verify a restored copy."""

from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from audit.sealing import last_seal
from crm.kit.migrated import is_migrated
from crm.kit.read_tracking import uncounted_reads
from crm.kit.scope import in_workspace
from crm.users.models import Workspace

# A session key works like a password while valid, and a restore would revive ended sessions. Sign-in counters cover an
# hour that has passed.
LEFT_OUT = ("django_session", "usersessions_usersession", "counters")


def manifest() -> dict[str, Any]:
    """Return the rows per table, the applied migrations, and the head of each workspace's audit chain."""
    return {"rows": row_counts(), "migrations": migrations(), "heads": heads() if is_migrated() else {}}


def row_counts() -> dict[str, int]:
    """Return the row count of each table, in one statement for one snapshot."""
    quote = connection.ops.quote_name
    with uncounted_reads(), connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {quote(table)}" for table in tables))
        return dict(cursor.fetchall())


def migrations() -> list[str]:
    return sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations())


def known_migrations() -> set[str]:
    """Return this release's migrations, as app.name."""
    return {".".join(key) for key in MigrationLoader(None).disk_migrations}


def heads() -> dict[str, str]:
    """Map each workspace's slug to the hash of its last seal."""
    found = {}
    for workspace in Workspace.objects.order_by("slug"):
        with in_workspace(workspace):
            found[workspace.slug] = last_seal()[1]
    return found
