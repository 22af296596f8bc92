"""The workspace in scope, and managers that refuse to touch a row without one.

`in_workspace(ws)` opens the scope; `objects` then reads and writes that workspace only. Outside a scope every query
and every write raises NoWorkspace. `objects.unscoped()` is the one way around it: grep for it, a test holds the list
of its callers.

Why: docs/decisions/0051-workspace-scope-and-composite-keys.md
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models

_current: ContextVar[Any] = ContextVar("workspace", default=None)


class NoWorkspace(RuntimeError):
    """A workspace's rows were asked for with no workspace in scope."""


class WrongWorkspace(RuntimeError):
    """A row of another workspace than the one in scope was about to be written."""


def workspace() -> Any:
    """The Workspace in scope. Raises NoWorkspace."""
    current = _current.get()
    if current is None:
        raise NoWorkspace("No workspace in scope: open one with in_workspace(...).")
    return current


def workspace_id() -> int:
    """The id of the workspace in scope. Raises NoWorkspace."""
    return workspace().pk


@contextmanager
def in_workspace(workspace: Any) -> Iterator[None]:
    """Read and write only the rows of `workspace` (a users.Workspace) inside the block."""
    token = _current.set(workspace)
    try:
        yield
    finally:
        _current.reset(token)


class WorkspaceQuerySet(models.QuerySet):
    """A queryset whose every write is checked against the workspace in scope."""

    def _insert(self, objs, fields, **kwargs):
        # save(), create() and bulk_create() all end here; so does a save() whose UPDATE matched nothing.
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
    """`objects` of every model that belongs to a workspace."""

    def get_queryset(self):
        return super().get_queryset().filter(workspace_id=workspace_id())

    def unscoped(self):
        """All workspaces' rows. Only for operators' tools and jobs that open a scope per row."""
        return super().get_queryset()
