"""Texts with placeholders filled from a record: “Welcome, {first_name}”. For emails, tasks and other templates.

Why: docs/decisions/0019-templates-are-filled-not-rendered.md
"""

import re
from typing import Any

from crm.entities import registry
from crm.entities.display import names_for, shown
from crm.entities.fields import Field, FieldType
from crm.entities.schema import Path, UnknownField, schema
from crm.entities.sql import orm_value
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _

PLACE = re.compile(r"\{([^{}]*)\}")


def check_placeholders(text: str, entity: str, label: str) -> str:
    """Return the text for storage, with field keys as {placeholders}, which survive renamed labels.

    Raises Invalid with a message for an unknown {placeholder} or an unclosed bracket.
    """
    stored = PLACE.sub(lambda found: f"{{{placeholder(entity, found[1]).key}}}", text)
    if "{" in PLACE.sub("", text) or "}" in PLACE.sub("", text):
        raise Invalid(_("{label}: a bracket isn’t closed. Write a placeholder as {{name}}.").format(label=label))
    return stored


def placeholder(entity: str, name: str) -> Path:
    """Return the field of {name}, of the record or a linked one. Raises Invalid with a message."""
    try:
        path = schema(entity).path(name)
    except UnknownField as error:
        raise Invalid(error.sentence) from None
    *links, last = path.fields
    unlinked = any(not _is_column(link) or link.type is not FieldType.LINK for link in links)
    if unlinked or last.type is FieldType.MANY or (last.type is FieldType.LINK and not _is_column(last)):
        raise Invalid(_("{{{name}}} can’t be filled in because it has several values.").format(name=name))
    return path


def _is_column(field: Field) -> bool:
    return not field.custom and field.rows is None and field.expression is None


def render(text: str, entity: str, pk: int) -> str:
    """Fill in the record's values; '' for empty ones. Raises Invalid for a deleted field.

    Not Django's templates: authors must not reach methods, settings or other people's records.
    """
    paths = {name: placeholder(entity, name) for name in PLACE.findall(text)}
    values = _read(list(paths.values()), entity, pk) if paths else []
    values_by_path = dict(zip(paths, values, strict=True))
    return PLACE.sub(lambda found: values_by_path[found[1]], text)


def _read(paths: list[Path], entity: str, pk: int) -> list[str]:
    columns = [_expression(path) for path in paths]
    row = registry.get(entity).model.objects.filter(pk=pk).values_list(*columns).first() or [None] * len(paths)
    return [_text(path, value) for path, value in zip(paths, row, strict=True)]


def _expression(path: Path) -> Any:
    *links, last = path.fields
    prefix = "".join(f"{link.column()}__" for link in links)
    if last.type is FieldType.LINK and _is_column(last):
        prefix, last = f"{prefix}{last.column()}__", _title(last)
    return orm_value(last, prefix)


def _title(link: Field) -> Field:
    target = registry.get(link.target)
    return target.fields[target.title]


def _text(path: Path, value: Any) -> str:
    field = path.field
    if value in (None, "", []):
        return ""
    if field.type is FieldType.LINK:
        return str(value)
    owner = list(path.steps())[-1][0].name
    names = names_for(owner, [{field.key: value}] if field.type in (FieldType.USER, FieldType.TEAM) else [])
    return shown(field, value, names)
