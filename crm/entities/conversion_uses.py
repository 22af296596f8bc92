"""The settings that use a field, and whether they survive its conversion."""

from collections.abc import Iterator
from typing import Any

from crm.entities.conversions import is_misread
from crm.entities.fields import FieldType
from crm.entities.models import CustomField
from crm.entities.uses import (
    FieldReference,
    PlaceholderReference,
    Reference,
    SettingUse,
    all_setting_uses,
    problems_after,
)
from crm.kit.errors import DomainError, InUse
from crm.kit.translation import gettext as _

BY_NAME = (FieldReference, PlaceholderReference)  # references that read no value, or show any


def uses_after(custom: CustomField, changes: dict[str, Any]) -> list[tuple[SettingUse, str]]:
    """Return the settings that use a field, each with why it can't stay as it is after `changes`, '' if it can."""
    using = [use for use in all_setting_uses() if any(_touches(each, custom) for each in use.targets())]
    broken = problems_after(lambda: CustomField.objects.filter(pk=custom.pk).update(**changes)) if using else {}
    misread = _misread(custom) if is_misread(custom.declaration(), FieldType(changes["type"])) else ""
    return [(use, broken[use.kind, use.pk] or (misread if _compares(use, custom) else "")) for use in using]


def refuse_broken_uses(custom: CustomField, changes: dict[str, Any], refusal: str) -> None:
    """Raise InUse, with `refusal` and the settings that the changes would break."""
    broken = [(use.label, use.url) for use, why in uses_after(custom, changes) if why and use.blocks]
    if broken:
        raise InUse(refusal, broken)


def _touches(target, custom: CustomField) -> bool:
    return (target.kind in ("field", "option")) and (target.entity, target.key) == (custom.entity, custom.key)


def _misread(custom: CustomField) -> str:
    return _("After the conversion, this comparison with {field} would match other records.").format(field=custom.label)


def _compares(use: SettingUse, custom: CustomField) -> bool:
    return any(_touches(target, custom) for each in use.references for target in _compared(each))


def _compared(reference: Reference) -> Iterator:
    if not isinstance(reference, BY_NAME):
        try:
            yield from reference.targets()
        except DomainError:
            return
