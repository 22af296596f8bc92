"""The workflows that are switched on in the workspace in scope, read once for each version of its settings."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import F

from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.kit.scope import workspace
from crm.workflows.models import WorkflowVersion
from crm.workflows.triggers import names


@dataclass(frozen=True)
class Active:
    """A workflow ready to be asked. `condition` None: it cannot be read any more, and `error` says why."""

    workflow: int
    public_id: str
    name: str
    version: int
    owner: int
    trigger: dict[str, Any]
    condition: Condition | None
    error: str = ""

    @property
    def entity(self) -> str:
        """What kind of record it is about."""
        return self.trigger["entity"]


def current_versions() -> Any:
    """The versions that new runs of the switched-on workflows follow."""
    return WorkflowVersion.objects.filter(workflow__enabled=True, number=F("workflow__number"))


def active() -> tuple[Active, ...]:
    """All that are switched on."""
    space = workspace()
    return _active(space.pk, space.schema_version)


def answering(event: str) -> tuple[Active, ...]:
    """Those that look at an event."""
    space = workspace()
    return _by_event(space.pk, space.schema_version).get(event, ())


def wanted(event: str) -> bool:
    """Whether any does: asked whenever an event is recorded."""
    return bool(answering(event))


@lru_cache(maxsize=200)
def _active(workspace_id: int, schema_version: int) -> tuple[Active, ...]:
    return tuple(map(read, current_versions().select_related("workflow").order_by("workflow_id")))


@lru_cache(maxsize=200)
def _by_event(workspace_id: int, schema_version: int) -> dict[str, tuple[Active, ...]]:
    found: dict[str, tuple[Active, ...]] = {}
    for each in _active(workspace_id, schema_version):
        for name in names(each.trigger):
            found[name] = (*found.get(name, ()), each)
    return found


def read(version: WorkflowVersion) -> Active:
    """A version, its condition read; with its workflow."""
    workflow = version.workflow
    try:
        condition, error = parse(version.condition, version.entity, people=False), ""
    except ConditionError as problem:
        condition, error = None, str(problem)
    return Active(
        workflow.pk, workflow.public_id, workflow.name, version.pk, workflow.owner_id, version.trigger, condition, error
    )


def forget() -> None:
    """Empty the memory: for tests, whose workspaces come and go under the same numbers."""
    _active.cache_clear()
    _by_event.cache_clear()
