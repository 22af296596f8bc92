"""Record values in log format: keys are field names, or `custom.<key>` for custom fields; values are JSON."""

import datetime
import decimal
import json
import uuid
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import F, Func, JSONField, Value
from django.utils.text import capfirst

CUSTOM = "custom."  # not a text


class CustomFieldExpression(Func):
    """The JSON value under a key of the `custom` column; null if missing."""

    output_field = JSONField()

    def __init__(self, key: str):
        self.key = key
        super().__init__(F("custom"))

    def as_postgresql(self, compiler, connection, **context):
        sql, params = compiler.compile(self.source_expressions[0])
        return f"({sql} -> %s)", [*params, self.key]

    def as_sqlite(self, compiler, connection, **context):
        sql, params = compiler.compile(self.source_expressions[0])
        return f"({sql} -> %s)", [*params, f'$."{self.key}"']


class CustomDiffers(Func):
    """Whether a custom field differs from `value` (None: empty)."""

    output_field = models.BooleanField()

    def __init__(self, key: str, value: Any):
        self.value = None if value is None else json.dumps(value)
        super().__init__(CustomFieldExpression(key))

    def as_postgresql(self, compiler, connection, **context):
        sql, params = compiler.compile(self.source_expressions[0])
        return f"({sql} IS DISTINCT FROM %s::jsonb)", [*params, self.value]

    def as_sqlite(self, compiler, connection, **context):
        sql, params = compiler.compile(self.source_expressions[0])
        return f"({sql} IS NOT json(%s))", [*params, self.value]


class JsonWithout(Func):
    """A JSON object without the keys in the other arguments; a NULL argument removes nothing."""

    output_field = JSONField()

    def as_postgresql(self, compiler, connection, **context):
        (pairs, params), *names = map(compiler.compile, self.source_expressions)
        keys = ", ".join(sql for sql, _ in names)
        return f"({pairs} - ARRAY[{keys}]::text[])", [*params, *(p for _, own in names for p in own)]

    def as_sqlite(self, compiler, connection, **context):
        # json_remove() ignores unknown paths, but returns NULL for a NULL path.
        (pairs, params), *names = map(compiler.compile, self.source_expressions)
        paths = ", ".join(f"""coalesce('$."' || ({sql}) || '"', '$." "')""" for sql, _ in names)
        return f"json_remove({pairs}, {paths})", [*params, *(p for _, own in names for p in own)]


class JsonMerge(Func):
    """The `custom` column with some keys set; None removes a key."""

    output_field = JSONField()

    def __init__(self, changes: dict[str, Any]):
        self.taken = [key for key, value in changes.items() if value is None]
        super().__init__(F("custom"), Value({k: v for k, v in changes.items() if v is not None}, JSONField()))

    def as_postgresql(self, compiler, connection, **context):
        (column, _), (new, params) = map(compiler.compile, self.source_expressions)
        return f"(({column} || {new}) - %s::text[])", [*params, self.taken]

    def as_sqlite(self, compiler, connection, **context):
        # json_patch() removes keys that are null in the patch (RFC 7396).
        (column, _), (new, params) = map(compiler.compile, self.source_expressions)
        return f"json_patch(json_patch({column}, {new}), %s)", [*params, json.dumps(dict.fromkeys(self.taken))]


def model_field(model: type[models.Model], key: str) -> models.Field:
    """Return the model field of `key`; `custom` for a custom field. Raises FieldDoesNotExist."""
    found = model._meta.get_field("custom" if key.startswith(CUSTOM) else key)
    if not isinstance(found, models.Field):
        raise FieldDoesNotExist(f"{model._meta.label} has no column for {key}.")  # not a text
    return found


def target(model: type[models.Model], key: str) -> type[models.Model] | None:
    """Return the model that `key` links to, or None."""
    field = model_field(model, key)
    return field.related_model if isinstance(field, models.ForeignKey) else None


def field_label(model: type[models.Model], key: str) -> str:
    """Return the field's name, capitalized."""
    name = key.removeprefix(CUSTOM) if key.startswith(CUSTOM) else model_field(model, key).verbose_name
    return capfirst(str(name).replace("_", " "))


def stored(model: type[models.Model], key: str) -> Any:
    return CustomFieldExpression(key.removeprefix(CUSTOM)) if key.startswith(CUSTOM) else F(key)


JSON = frozenset({str, int, type(None), bool})


def to_log(value: Any) -> Any:
    if type(value) in JSON:  # true for nearly all
        return value
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    return getattr(value, "name", None) or "" if isinstance(value, models.fields.files.FieldFile) else value


def read_value(record: models.Model, key: str) -> Any:
    if key.startswith(CUSTOM):
        return _custom(record).get(key.removeprefix(CUSTOM))
    value = getattr(record, model_field(type(record), key).attname)
    return value.name or "" if isinstance(value, models.fields.files.FieldFile) else value


def from_log(model: type[models.Model], key: str, value: Any) -> Any:
    if key.startswith(CUSTOM) or value is None:
        return value
    field = model_field(model, key)
    return field.target_field.to_python(value) if isinstance(field, models.ForeignKey) else field.to_python(value)


def write(record: models.Model, key: str, value: Any) -> None:
    """Set `key` on `record` in memory; None removes a custom value."""
    if not key.startswith(CUSTOM):
        setattr(record, model_field(type(record), key).attname, value)
    elif value is None:
        _custom(record).pop(key.removeprefix(CUSTOM), None)
    else:
        _custom(record)[key.removeprefix(CUSTOM)] = value


def _custom(record: models.Model) -> dict[str, Any]:
    return model_field(type(record), CUSTOM).value_from_object(record)
