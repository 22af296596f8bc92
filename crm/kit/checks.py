"""System checks for settings that work at first and fail under load."""

from pathlib import Path

from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connections

from crm.kit.instance import network_filesystem


@register()
def atomic_requests_on_sqlite(app_configs, **kwargs) -> list[CheckMessage]:
    """E001: every page, even a read, would hold SQLite's one write lock from start to end."""
    return [
        Error(
            f"ATOMIC_REQUESTS is on for the SQLite database {alias!r}.",
            hint="Leave it off: verbs open their own short transactions.",
            id="crm.E001",
        )
        for alias, database in _sqlite_databases()
        if database.get("ATOMIC_REQUESTS")
    ]


@register()
def sqlite_on_a_network(app_configs, **kwargs) -> list[CheckMessage]:
    """W001: WAL needs shared memory, which network file systems do not have: the file can be damaged."""
    return [
        Warning(
            f"{database['NAME']} lies on a network file system ({kind}).",
            hint="Keep SQLite on a local disk (DATABASE_URL, DATA_DIR), or use PostgreSQL.",
            id="crm.W001",
        )
        for _, database in _sqlite_databases()
        if (kind := network_filesystem(Path(database["NAME"])))
    ]


def _sqlite_databases() -> list[tuple[str, dict]]:
    return [(alias, database) for alias, database in connections.databases.items() if "sqlite" in database["ENGINE"]]
