"""Rows that consecutive tests share, in place of rows that each test writes again.

    @share
    def shared_cast(): ...          # writes the rows and returns them; the name becomes a fixture

    @share
    def shared_world(cast): ...     # is given what the builder before it returned

The first test that asks for `shared_cast` has the rows written in a transaction that stays open around it and the
tests that follow; what a test itself changes is rolled back to there, and it gets a copy of the objects. Builders stack
in the order in which they are declared. A test that asks for none, or that commits (`transaction=True`), finds the
database empty as ever: the stack is rolled back before it.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import transaction

BUILDERS: dict[str, Callable[..., Any]] = {}
COMMITTING = {"transactional_db", "live_server"}


def share(build: Callable[..., Any]) -> Callable[..., Any]:
    """Make a fixture of a builder of rows; it is given what the builder declared before it returned."""
    name = build.__name__
    BUILDERS[name] = build

    @pytest.fixture(name=name)
    def rows(db, stack):
        return stack.rows(name)

    return rows


class Stack:
    """The builders whose rows are in the database now, each in a savepoint within the one before."""

    def __init__(self) -> None:
        self.layers: list[tuple[str, transaction.Atomic | None, Any]] = []

    def become(self, names: list[str]) -> None:
        """Roll back to what the stack has in common with `names`, then build the rest of them."""
        kept = 0
        while kept < min(len(self.layers), len(names)) and self.layers[kept][0] == names[kept]:
            kept += 1
        while len(self.layers) > kept:
            self._roll_back()
        for name in names[kept:]:
            self._build(name, transaction.atomic())

    def rows(self, name: str) -> Any:
        """A copy of what the builder returned, so that a test may change the objects it is given."""
        for missing in list(BUILDERS)[len(self.layers) : list(BUILDERS).index(name) + 1]:
            self._build(missing, None)  # in a test that commits, whose rows are flushed at its end
        return copy.deepcopy(next(rows for layer, _, rows in self.layers if layer == name))

    def _build(self, name: str, atomic: transaction.Atomic | None) -> None:
        below = [self.layers[-1][2]] if self.layers else []
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
    """The shared rows of this process, rolled back at its end."""
    shared_rows = Stack()
    yield shared_rows
    with django_db_blocker.unblock():
        shared_rows.become([])


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request) -> None:
    """Put the stack in place before pytest-django opens the transaction of a test."""
    if fixturedef.argname == "_django_db_helper":
        blocker, stack = request.getfixturevalue("django_db_blocker"), request.getfixturevalue("stack")
        with blocker.unblock():
            stack.become([] if _commits(request) else _asked_for(request.fixturenames))


def _commits(request) -> bool:
    marker = request.node.get_closest_marker("django_db")
    return bool(COMMITTING.intersection(request.fixturenames) or (marker and marker.kwargs.get("transaction")))


def _asked_for(fixtures: list[str]) -> list[str]:
    names = list(BUILDERS)
    return names[: max((names.index(name) + 1 for name in names if name in fixtures), default=0)]
