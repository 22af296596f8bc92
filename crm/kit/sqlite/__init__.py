"""SQLite as the product needs it: Django's backend, a fair queue for writers, and our own SQL functions."""

from collections.abc import Callable
from typing import Any

_functions: list[tuple[str, int, Callable[..., Any]]] = []


def add_function(name: str, arguments: int, function: Callable[..., Any]) -> None:
    """Let SQL call `function` as `name`, on every connection opened from now on.

    It must be deterministic: the same arguments (None for NULL) always give the same text, number, bytes or None.
    """
    _functions.append((name, arguments, function))


def added_functions() -> list[tuple[str, int, Callable[..., Any]]]:
    """Every function added so far: name, number of arguments, the function."""
    return list(_functions)
