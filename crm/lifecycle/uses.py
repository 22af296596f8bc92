"""References of stage requirements and definitions."""

from collections.abc import Iterator

from django.urls import reverse

from crm.conditions.uses import ConditionReference
from crm.entities import registry
from crm.entities.uses import ReferringModel, SettingUse, register
from crm.kit.translation import gettext as _
from crm.lifecycle.axes import all_axes
from crm.lifecycle.models import Guard, StageDefinition


def _guards() -> Iterator[SettingUse]:
    for guard in Guard.objects.all():
        label = _("Stage requirement “{message}”").format(message=guard.message)
        url = reverse("guard", args=[guard.pk])
        condition = ConditionReference(guard.entity, guard.condition)
        yield SettingUse("guard", guard.pk, label, url, [condition], blocks=guard.is_active)


def _definitions() -> Iterator[SettingUse]:
    rows = StageDefinition.objects.order_by("version")
    for row in {(row.entity, row.axis, row.value): row for row in rows}.values():
        conditions = [ConditionReference(row.entity, text, people=False) for text in (row.entry, row.exit) if text]
        url = reverse("stage_definition", args=[row.entity, row.axis, row.value])
        yield SettingUse("stage_definition", row.pk, _label(row), url, conditions)


def _label(row: StageDefinition) -> str:
    """Return the names of value, axis and entity; their keys if the app was removed."""
    value, axis_name, kind = row.value, row.axis, row.entity
    for axis in all_axes():
        for choice in axis.values:
            if (axis.entity, axis.field, choice.value) == (row.entity, row.axis, row.value):
                value, axis_name, kind = choice.label, axis.label, registry.get(axis.entity).label
    label = _("Definition of “{value}” ({kind} · {axis})")
    return label.format(value=value, kind=kind, axis=axis_name)


register(ReferringModel("guard", "lifecycle.Guard", ("condition",), _guards))
register(ReferringModel("stage_definition", "lifecycle.StageDefinition", ("entry", "exit"), _definitions))
