"""Registries and hooks, by which apps plug into those below them."""

from collections.abc import Callable
from importlib import import_module
from typing import TypeVar

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


class Registry(dict[str, T]):
    """Items by name, in order of addition."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def add(self, name: str, item: T) -> T:
        """Add an item and return it. Raises ValueError for a duplicate name."""
        if name in self:
            raise ValueError(f"The {self.what} {name} is registered twice.")
        self[name] = item
        return item


class Hook(list[F]):
    """Callbacks from upper apps: use it as their decorator, and iterate it to call them."""

    def __call__(self, function: F) -> F:
        self.append(function)
        return function
