"""The active workflows of the workspace in scope, cached by schema version."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import F

from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.kit.errors import Invalid
from crm.kit.scope import workspace
from crm.workflows.definition import check_trigger
from crm.workflows.models import WorkflowVersion
from crm.workflows.triggers import names


@dataclass(frozen=True)
class ActiveWorkflow:
    """An active workflow, its condition parsed."""

    workflow: int
    public_id: str
    name: str
    version: int
    owner: int
    trigger: dict[str, Any]
    condition: Condition

    @property
    def entity(self) -> str:
        return self.trigger["entity"]


def current_versions() -> Any:
    """Return the versions that new runs of active workflows follow."""
    return WorkflowVersion.objects.filter(workflow__enabled=True, number=F("workflow__number"))


def active_workflows() -> tuple[ActiveWorkflow, ...]:
    """Return the workflows that are turned on and valid. Invalid ones are exceptions and never run."""
    space = workspace()
    return _active(space.pk, space.schema_version)


def answering(event: str) -> tuple[ActiveWorkflow, ...]:
    space = workspace()
    return _by_event(space.pk, space.schema_version).get(event, ())


def has_active_workflow(event: str) -> bool:
    """Return whether any workflow listens to `event`; called for every recorded event."""
    space = workspace()
    return event in _by_event(space.pk, space.schema_version)


@lru_cache(maxsize=200)
def _active(workspace_id: int, schema_version: int) -> tuple[ActiveWorkflow, ...]:
    return tuple(filter(None, map(read_version, current_versions().select_related("workflow").order_by("workflow_id"))))


@lru_cache(maxsize=200)
def _by_event(workspace_id: int, schema_version: int) -> dict[str, tuple[ActiveWorkflow, ...]]:
    found: dict[str, tuple[ActiveWorkflow, ...]] = {}
    for each in _active(workspace_id, schema_version):
        for name in names(each.trigger):
            found[name] = (*found.get(name, ()), each)
    return found


def read_version(version: WorkflowVersion) -> ActiveWorkflow | None:
    """Return a version with its condition parsed; None if its trigger or condition is invalid. Loads the workflow."""
    workflow, trigger = version.workflow, version.trigger
    try:
        check_trigger(trigger)
        condition = parse(version.condition, version.entity, people=False)
    except (Invalid, ConditionError):
        return None
    return ActiveWorkflow(
        workflow.pk, workflow.public_id, workflow.name, version.pk, workflow.owner_id, trigger, condition
    )
