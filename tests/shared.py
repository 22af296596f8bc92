"""Rows shared by consecutive tests, instead of each test writing them again.

    @share
    def shared_cast(): ...          # writes the rows and returns them; the name becomes a fixture

    @share
    def shared_world(shared_cast): ...     # builds on those rows, and gets their objects

The first test that uses `shared_cast` writes the rows in a transaction that stays open around it and the following
tests; a test's own changes are rolled back to that point, and it gets a copy of the objects. A test without shared
rows, or one that commits (`transaction=True`), finds an empty database: shared rows are rolled back before it.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from inspect import signature
from typing import Any

import pytest
from django.db import transaction

BUILDERS: dict[str, Callable[..., Any]] = {}
COMMITTING = {"transactional_db", "live_server"}


def share(build: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a builder of rows into a fixture; its optional parameter names the builder it builds on."""
    name = build.__name__
    BUILDERS[name] = build

    @pytest.fixture(name=name)
    def rows(db, stack):
        return stack.rows(name)

    return rows


def _path(name: str) -> list[str]:
    """Return the preceding builders and the named one."""
    below = [path for parent in signature(BUILDERS[name]).parameters for path in _path(parent)]
    return [*below, name]


class Stack:
    """The builders whose rows are in the database, in nested savepoints."""

    def __init__(self) -> None:
        self.layers: list[tuple[str, transaction.Atomic | None, Any]] = []

    def become(self, names: list[str]) -> None:
        """Roll back to the common prefix with `names`, then build the rest."""
        while [name for name, _, _ in self.layers] != names[: len(self.layers)]:
            self._roll_back()
        for name in names[len(self.layers) :]:
            self._build(name, transaction.atomic())

    def rows(self, name: str) -> Any:
        """Return a copy of the builder's result, which a test may change."""
        for missing in _path(name)[len(self.layers) :]:
            self._build(missing, None)  # in a committing test, whose rows are flushed at its end
        return copy.deepcopy(next(rows for layer, _, rows in self.layers if layer == name))

    def _build(self, name: str, atomic: transaction.Atomic | None) -> None:
        below = [rows for _, _, rows in self.layers[-1:]]
        with ExitStack() as undo:
            if atomic:
                undo.enter_context(atomic)
            self.layers.append((name, atomic, BUILDERS[name](*below)))
            undo.pop_all()

    def _roll_back(self) -> None:
        _, atomic, _ = self.layers.pop()
        if atomic:
            transaction.set_rollback(True)
            atomic.__exit__(None, None, None)


@pytest.fixture(scope="session")
def stack(django_db_setup, django_db_blocker) -> Iterator[Stack]:
    """Yield this process's shared rows, rolled back at its end."""
    shared_rows = Stack()
    yield shared_rows
    with django_db_blocker.unblock():
        shared_rows.become([])


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request) -> None:
    """Prepare the stack before pytest-django opens a test's transaction.

    Removed before a browser starts: its event loop runs in this thread, with another Django connection.
    """
    if fixturedef.argname in ("_django_db_helper", "chromium"):
        blocker, stack = request.getfixturevalue("django_db_blocker"), request.getfixturevalue("stack")
        with blocker.unblock():
            shares = fixturedef.argname != "chromium" and not _commits(request)
            stack.become(_asked_for(request.fixturenames) if shares else [])


def _commits(request) -> bool:
    marker = request.node.get_closest_marker("django_db")
    return bool(COMMITTING.intersection(request.fixturenames) or (marker and marker.kwargs.get("transaction")))


def _asked_for(fixtures: list[str]) -> list[str]:
    return max((_path(name) for name in fixtures if name in BUILDERS), key=len, default=[])
