"""SQLite backend: Django's, with a fair queue for writers and our own SQL functions."""

from collections.abc import Callable
from typing import Any

_functions: list[tuple[str, int, Callable[..., Any]]] = []


def add_function(name: str, arguments: int, function: Callable[..., Any]) -> None:
    """Register `function` as the SQL function `name` on all connections opened from now on.

    It must be deterministic, with arguments None for NULL, and return text, numbers, bytes or None.
    """
    _functions.append((name, arguments, function))


def added_functions() -> list[tuple[str, int, Callable[..., Any]]]:
    """Return the added functions: name, number of arguments, function."""
    return list(_functions)
