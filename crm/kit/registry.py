"""What apps register with those below them: things by name, and functions to be called."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Generic, TypeVar

from django.apps import apps
from django.utils.module_loading import module_has_submodule

T = TypeVar("T")
F = TypeVar("F", bound=Callable)

# The modules of an app that say what it brings: imported at the start, in this order.
MODULES = ("checks", "records", "events", "guards", "reactions", "handlers", "jobs", "uses", "day", "nav", "anomalies")


def discover() -> None:
    """Import what every app brings, the lowest app first: what follows from an event does so in that order."""
    for app in reversed(list(apps.get_app_configs())):
        for name in MODULES:
            if module_has_submodule(app.module, name):
                import_module(f"{app.name}.{name}")


class Registry(Generic[T]):
    """Things by name, in the order in which they were added."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Make an item known; returns it. Raises ValueError for a name that is taken."""
        if name in self._items:
            raise ValueError(f"The {self.what} {name} is registered twice.")
        self._items[name] = item
        return item

    def replace(self, name: str, item: T) -> None:
        """Put an item in the place of the one called so. Raises KeyError where there is none."""
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
    """Functions that apps above have called at a certain moment; it decorates them, and is iterated to call them."""

    def __init__(self) -> None:
        self._functions: list[F] = []

    def __call__(self, function: F) -> F:
        self._functions.append(function)
        return function

    def __iter__(self) -> Iterator[F]:
        return iter(self._functions)

    def __reversed__(self) -> Iterator[F]:
        return reversed(self._functions)
