"""Copying and loading per database engine."""

from types import ModuleType

from django.db import connection

from crm.backup import postgresql, sqlite

ENGINES = {"postgresql": postgresql, "sqlite": sqlite}


def engine() -> ModuleType:
    """Return the module with MEMBER, dump(), loaded(), is_empty(), name() and directory() for the current engine."""
    return ENGINES[connection.vendor]
