"""How the database in use is copied and loaded."""

from types import ModuleType

from django.db import connection

from crm.backup import postgresql, sqlite

ENGINES = {"postgresql": postgresql, "sqlite": sqlite}


def engine() -> ModuleType:
    """The module with MEMBER, dump(), loaded(), is_empty(), name() and directory() for the database in use."""
    return ENGINES[connection.vendor]
