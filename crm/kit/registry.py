"""Registries and hooks, by which apps plug into those below them."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Generic, TypeVar

from django.apps import apps
from django.utils.module_loading import module_has_submodule

T = TypeVar("T")
F = TypeVar("F", bound=Callable)

# An app's registering modules, imported at startup in this order.
MODULES = ("checks", "records", "events", "guards", "reactions", "handlers", "jobs", "uses", "day", "nav", "anomalies")


def discover() -> None:
    """Import the registering modules of every app, lowest first: event reactions run in that order."""
    for app in reversed(list(apps.get_app_configs())):
        for name in MODULES:
            if module_has_submodule(app.module, name):
                import_module(f"{app.name}.{name}")


class Registry(Generic[T]):
    """Named items in order of addition."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Add an item and return it. Raises ValueError for a duplicate name."""
        if name in self._items:
            raise ValueError(f"The {self.what} {name} is registered twice.")
        self._items[name] = item
        return item

    def replace(self, name: str, item: T) -> None:
        """Replace the item called `name`. Raises KeyError if there is none."""
        self._items[name], _ = item, self._items[name]

    def __getitem__(self, name: str) -> T:
        return self._items[name]

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def get(self, name: str) -> T | None:
        return self._items.get(name)

    def names(self) -> list[str]:
        return list(self._items)


class Hook(Generic[F]):
    """Callbacks from upper apps: use it as their decorator, and iterate it to call them."""

    def __init__(self) -> None:
        self._functions: list[F] = []

    def __call__(self, function: F) -> F:
        self._functions.append(function)
        return function

    def __iter__(self) -> Iterator[F]:
        return iter(self._functions)

    def __reversed__(self) -> Iterator[F]:
        return reversed(self._functions)
