"""Parameters of triggers and steps, and their validation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.entities.placeholders import check_placeholders
from crm.kit import formats
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext

Values = Mapping[str, Any]
Choices = Callable[[str], list[tuple[str, str]]]
LONGEST = 10_000


class ReferenceKind(StrEnum):
    """The kind of object that a chosen value refers to, beyond the parameter's kind."""

    NOTHING = ""
    FIELD = "field"
    OPTION = "option"  # of the adjacent field
    SEGMENT = "segment"


@dataclass(frozen=True)
class Param:
    """A parameter. `kind`: text, template (one line with {places}), long (multi-line), number, select, condition.

    `choices(entity)` returns (value, label) pairs.
    """

    key: str
    label: str
    kind: str = "text"
    choices: Choices | None = None
    required: bool = True
    default: str = ""
    help: str = ""
    refers: ReferenceKind = ReferenceKind.NOTHING

    def options(self, entity: str) -> list[tuple[str, str]]:
        return self.choices(entity) if self.choices else []

    def label_of(self, entity: str, value: Any) -> str:
        """Return a value's label; the value itself if it is no longer a choice."""
        return dict(self.options(entity)).get(str(value), str(value))


def check_params(params: tuple[Param, ...], given: Values, entity: str) -> dict[str, Any]:
    """Return the cleaned values of `params`. Raises Invalid with a message per parameter."""
    cleaned, errors = {}, {}
    for param in params:
        try:
            cleaned[param.key] = _clean(param, str(given.get(param.key, "")).strip(), entity)
        except (Invalid, ConditionError) as error:
            errors[param.key] = str(error)
    if errors:
        raise Invalid(errors)
    return cleaned


def _clean(param: Param, text: str, entity: str) -> Any:
    if not text:
        if param.required:
            raise Invalid(_("{field} is required.").format(field=param.label))
        return ""
    if len(text) > LONGEST:
        sentence = ngettext(
            "{field} can have {count} character.", "{field} can have up to {count} characters.", LONGEST
        )
        raise Invalid(sentence.format(field=param.label, count=formats.number(LONGEST)))
    return _CLEAN.get(param.kind, lambda param, text, entity: text)(param, text, entity)


def _select(param: Param, text: str, entity: str) -> str:
    if text not in dict(param.options(entity)):
        raise Invalid(_("Choose an available option for “{field}”.").format(field=param.label))
    return text


def _number(param: Param, text: str, entity: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 10**9:
        raise Invalid(_("{field} must be a whole number, 0 or more.").format(field=param.label))
    return int(text)


def _condition(param: Param, text: str, entity: str) -> str:
    return parse(text, entity, people=False).key_text


def _template(param: Param, text: str, entity: str) -> str:
    return check_placeholders(text, entity, param.label)


_CLEAN = {"select": _select, "number": _number, "condition": _condition, "template": _template, "long": _template}
