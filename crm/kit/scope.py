"""The workspace scope, and managers that refuse any query without one.

`in_workspace(ws)` opens the scope; `objects` then reads and writes only that workspace. Outside a scope every query and
write raises NoWorkspace. `objects.unscoped()` is the only way around it; a test holds the list of its callers.

Why: docs/decisions/0051-workspace-scope-and-composite-keys.md
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models

_current: ContextVar[Any] = ContextVar("workspace", default=None)


class NoWorkspace(RuntimeError):
    """A query on workspace rows without a workspace in scope."""


class WrongWorkspace(RuntimeError):
    """A write to a row of another workspace than the one in scope."""


def workspace() -> Any:
    """Return the Workspace in scope. Raises NoWorkspace."""
    current = _current.get()
    if current is None:
        raise NoWorkspace("No workspace in scope: open one with in_workspace(...).")
    return current


def workspace_id() -> int:
    """Return the id of the workspace in scope. Raises NoWorkspace."""
    return workspace().pk


@contextmanager
def in_workspace(workspace: Any) -> Iterator[None]:
    """Limit reads and writes in the block to `workspace` (a users.Workspace)."""
    token = _current.set(workspace)
    try:
        yield
    finally:
        _current.reset(token)


class WorkspaceQuerySet(models.QuerySet):
    """A queryset that checks every write against the workspace in scope."""

    def _insert(self, objs, fields, **kwargs):
        # save(), create() and bulk_create() all end here, as does a save() whose UPDATE matched no row.
        for obj in objs:
            self._claim(obj)
        return super()._insert(objs, fields=fields, **kwargs)

    _insert.alters_data = True
    _insert.queryset_only = False

    def _claim(self, obj) -> None:
        if obj.workspace_id is None:
            obj.workspace_id = workspace_id()
        elif obj.workspace_id != workspace_id():
            raise WrongWorkspace(f"{obj._meta.label} belongs to another workspace than the one in scope.")

    def bulk_create(self, objs, *args, **kwargs):
        objs = list(objs)
        for obj in objs:
            self._claim(obj)
        return super().bulk_create(objs, *args, **kwargs)

    def update(self, **kwargs):
        if {"workspace", "workspace_id"} & kwargs.keys():
            raise WrongWorkspace("A row never moves to another workspace.")
        return super().update(**kwargs)

    def raw(self, *args, **kwargs):
        raise NoWorkspace("raw() cannot be held to a workspace: use a queryset.")


class WorkspaceManager(models.Manager.from_queryset(WorkspaceQuerySet)):  # type: ignore[misc]
    """`objects` of all models that belong to a workspace."""

    def get_queryset(self):
        return super().get_queryset().filter(workspace_id=workspace_id())

    def unscoped(self):
        """Return all workspaces' rows. Only for operators' tools and jobs that open a scope per row."""
        return super().get_queryset()
