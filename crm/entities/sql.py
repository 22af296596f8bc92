"""SQL expressions that read fields, for both engines."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db import models
from django.db.models import F, Func, Value

from crm.entities.fields import NUMBERS, TEXTS, Field, FieldType


class IsoDateField(models.TextField):
    """A date stored as YYYY-MM-DD in JSON: such texts sort like dates, so SQL never casts a possibly invalid one."""

    def get_prep_value(self, value):
        return value.isoformat() if isinstance(value, date) else value

    def from_db_value(self, value, expression, connection):
        return value if value is None else date.fromisoformat(value)


class IsoInstantField(models.TextField):
    """An instant kept in JSON as UTC to the microsecond, always 32 characters: such texts sort as the instants do."""

    def get_prep_value(self, value):
        return iso_instant(value) if isinstance(value, datetime) else value

    def from_db_value(self, value, expression, connection):
        return value if value is None else datetime.fromisoformat(value)


def iso_instant(value: datetime) -> str:
    """An aware datetime as IsoInstantField keeps it."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


_OUTPUT: dict[FieldType, Callable[[], models.Field]] = {
    **dict.fromkeys(TEXTS, models.TextField),
    **dict.fromkeys(NUMBERS, models.DecimalField),
    FieldType.DATE: IsoDateField,
    FieldType.DATETIME: IsoInstantField,
    FieldType.YES_NO: models.BooleanField,
    FieldType.SELECT: models.TextField,
    FieldType.MULTI_SELECT: models.JSONField,
    FieldType.USER: models.BigIntegerField,
    FieldType.LINK: models.BigIntegerField,
}
_POSTGRES = {
    "TextField": ("string", "{0} ->> %s"),
    "DecimalField": ("number", "({0} ->> %s)::numeric"),
    "BooleanField": ("boolean", "({0} ->> %s)::boolean"),
    "JSONField": ("array", "{0} -> %s"),
    "BigIntegerField": ("number", "({0} ->> %s)::numeric::bigint"),
}
_SQLITE = {
    "TextField": "'text'",
    "DecimalField": "'integer', 'real'",
    "BooleanField": "'true', 'false'",
    "JSONField": "'array'",
    "BigIntegerField": "'integer'",
}


class CustomValue(Func):
    """A custom field's value in a `custom` column, as its SQL type; NULL if missing or of another JSON type.

    The type test keeps one bad row from failing every query: CASE casts only matching values.
    """

    arity = 1

    def __init__(self, column, key: str, type: FieldType, **extra):
        self.key = key
        super().__init__(column, output_field=_OUTPUT[type](), **extra)

    @property
    def identity(self):
        return (*super().identity, self.key)

    def as_postgresql(self, compiler, connection, **context):
        column, params = compiler.compile(self.source_expressions[0])
        kind, value = _POSTGRES[self.output_field.get_internal_type()]
        sql = f"CASE JSONB_TYPEOF({column} -> %s) WHEN '{kind}' THEN {value.format(column)} END"
        return sql, (*params, self.key, *params, self.key)

    def as_sqlite(self, compiler, connection, **context):
        column, params = compiler.compile(self.source_expressions[0])
        kinds = _SQLITE[self.output_field.get_internal_type()]
        sql = f"CASE WHEN JSON_TYPE({column}, %s) IN ({kinds}) THEN JSON_EXTRACT({column}, %s) END"
        path = f'$."{self.key}"'
        return sql, (*params, path, *params, path)


class ListHas(Func):
    """Test whether a JSON list contains the text `item`."""

    arity = 1
    output_field = models.BooleanField()

    def __init__(self, values, item: str, **extra):
        self.item = item
        super().__init__(values, **extra)

    @property
    def identity(self):
        return (*super().identity, self.item)

    def as_postgresql(self, compiler, connection, **context):
        values, params = compiler.compile(self.source_expressions[0])
        return f"({values}) @> %s::jsonb", (*params, json.dumps([self.item]))

    def as_sqlite(self, compiler, connection, **context):
        values, params = compiler.compile(self.source_expressions[0])
        return f"EXISTS (SELECT 1 FROM JSON_EACH({values}) WHERE value = %s)", (*params, self.item)


class ListLength(Func):
    """The length of a JSON list."""

    function = "JSON_ARRAY_LENGTH"
    arity = 1
    output_field = models.IntegerField()

    def as_postgresql(self, compiler, connection, **context):
        values, params = compiler.compile(self.source_expressions[0])
        return f"CASE JSONB_TYPEOF({values}) WHEN 'array' THEN JSONB_ARRAY_LENGTH({values}) END", (*params, *params)


class Place(Func):
    """The position of a text among `texts`, from 0; NULL if missing."""

    output_field = models.IntegerField()

    def __init__(self, text, texts: Sequence[str], **extra):
        super().__init__(text, *(Value(each, models.TextField()) for each in texts), **extra)

    def as_sql(self, compiler, connection, **context):
        (text, params), *texts = map(compiler.compile, self.source_expressions)
        places = " ".join(f"WHEN {sql} THEN {place}" for place, (sql, _) in enumerate(texts))
        return f"CASE {text} {places} END", (*params, *(param for _, own in texts for param in own))


class Total(Func):
    """The sum of its arguments. Flat: hundreds of nested + would overflow SQLite's parser."""

    template = "(%(expressions)s)"
    arg_joiner = " + "
    output_field = models.IntegerField()


class IsNotTrue(Func):
    """False or unknown: negation in two-valued logic, in which a comparison with NULL is false."""

    template = "((%(expressions)s) IS NOT TRUE)"
    arity = 1
    output_field = models.BooleanField()


def orm_value(field: Field, prefix: str = "", ref: Callable[[str], Any] = F) -> Any:
    """Return the ORM expression that reads a field: a column, a computed expression or a typed JSON value.

    `prefix` leads to the row from the queryset's model ("company__"); computed fields cannot be read through one. `ref`
    is F, or OuterRef from inside a subquery. Raises ValueError for a field without a single value.
    """
    if field.type is FieldType.MANY or field.rows:
        raise ValueError(f"{field.key} stands for rows, not for one value.")
    if field.custom:
        return CustomValue(ref(f"{prefix}custom"), field.key, field.type)
    if field.expression is None:
        return ref(prefix + field.column())
    if prefix:
        raise ValueError(f"{field.key} is computed: read it from its own rows.")
    return field.expression()
