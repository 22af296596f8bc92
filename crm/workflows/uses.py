"""References of workflows: from their trigger, condition and step parameters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from crm.campaigns.uses import SegmentReference
from crm.conditions.uses import ConditionReference
from crm.entities.uses import (
    FieldReference,
    OptionReference,
    PlaceholderReference,
    Reference,
    ReferringModel,
    SettingUse,
    Target,
    register,
)
from crm.kit.translation import gettext as _
from crm.workflows import steps as kinds
from crm.workflows.definition import checked
from crm.workflows.models import Workflow, WorkflowVersion
from crm.workflows.params import Param, ReferenceKind, Values
from crm.workflows.triggers import KINDS_OF_TRIGGER


@dataclass(frozen=True)
class DefinitionReference:
    """The whole definition, validated as on save, including members, campaigns and step kinds."""

    version: WorkflowVersion

    def targets(self) -> list[Target]:
        """Validate the definition; the other references return its targets (see crm.entities.uses.Reference)."""
        checked(self.version.trigger, self.version.condition, self.version.steps)
        return []


def _workflows() -> Iterator[SettingUse]:
    numbers = dict(Workflow.objects.values_list("pk", "number"))
    for version in WorkflowVersion.objects.select_related("workflow").filter(workflow__in=numbers):
        if version.number == numbers[version.workflow_id]:
            yield _use(version)


def _use(version: WorkflowVersion) -> SettingUse:
    workflow, entity = version.workflow, version.entity
    references: list[Reference] = [DefinitionReference(version)]
    if version.condition:
        references.append(ConditionReference(entity, version.condition, people=False))
    trigger = KINDS_OF_TRIGGER.get(version.trigger["kind"])
    references += _of(trigger.params, version.trigger, entity) if trigger else []
    for step in version.steps:
        kind = kinds.step_kind(step["kind"])
        references += _of(kind.params, step, entity) if kind else []
    url = workflow.get_absolute_url()
    return SettingUse(
        "workflow", workflow.pk, _("Workflow “{name}”").format(name=workflow), url, references, blocks=workflow.enabled
    )


def _of(params: Sequence[Param], values: Values, entity: str) -> list[Reference]:
    given = [(param, values.get(param.key)) for param in params]
    found = [_reference(param, value, values, entity) for param, value in given if value not in ("", None)]
    return [reference for reference in found if reference]


def _reference(param: Param, value: Any, values: Values, entity: str) -> Reference | None:
    match param.refers or param.kind:
        case "condition":
            return ConditionReference(entity, value, people=False)
        case ReferenceKind.FIELD:
            return FieldReference(entity, value.removeprefix("custom."))  # not a text
        case ReferenceKind.OPTION:
            return OptionReference(entity, values["field"], value)
        case ReferenceKind.SEGMENT:
            return SegmentReference(value)
        case "template" | "long":
            return PlaceholderReference(entity, value, param.label)
    return None


register(ReferringModel("workflow", "workflows.WorkflowVersion", ("trigger", "condition", "steps"), _workflows))
