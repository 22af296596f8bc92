"""Set-based writes that the ORM has no words for, on both engines."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models import Func, IntegerField, JSONField, Subquery, TextField, Value

from crm.kit.scope import WrongWorkspace, workspace_id


def insert_select(model: type[models.Model], rows: models.QuerySet, columns: Mapping[str, Any]) -> int:
    """INSERT INTO `model` SELECT `columns` FROM `rows`: one statement however many rows. Returns how many.

    `columns` maps an attribute name of `model` to a value or to an expression over `rows`. Raises WrongWorkspace for
    another workspace than the one in scope, NoWorkspace without one.
    """
    if columns.get("workspace_id") != workspace_id():
        raise WrongWorkspace(f"{model._meta.label} rows belong to another workspace than the one in scope.")
    fields = {field.attname: field for field in model._meta.concrete_fields}
    values = {f"insert_{name}": _typed(fields[name], value) for name, value in columns.items()}
    try:
        sql, params = rows.order_by().annotate(**values).values_list(*values).query.sql_with_params()
    except EmptyResultSet:  # a condition that Django knows to hold for no row, such as an empty IN
        return 0
    connection = connections[rows.db]
    quote = connection.ops.quote_name
    names = ", ".join(quote(fields[name].column) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(model._meta.db_table)} ({names}) {sql}", params)
        return cursor.rowcount


def _typed(field: models.Field, value: Any) -> Any:
    return value if hasattr(value, "resolve_expression") else Value(value, output_field=field)


class RandomText(Func):
    """32 random hexadecimal digits, fresh for each row."""

    output_field = TextField()
    arity = 0

    def as_postgresql(self, compiler, connection, **context):
        return "replace(gen_random_uuid()::text, '-', '')", []

    def as_sqlite(self, compiler, connection, **context):
        return "lower(hex(randomblob(16)))", []


class JsonPairs(Func):
    """A JSON object of the given expressions, each written the way the field's own to_python() reads it back."""

    output_field = JSONField()

    def __init__(self, **pairs: tuple[models.Field, Any]):
        self.fields = [field for field, _ in pairs.values()]
        self.keys = list(pairs)
        super().__init__(*(expression for _, expression in pairs.values()))

    def as_postgresql(self, compiler, connection, **context):
        return self._build(compiler, "jsonb_build_object", _postgresql_json)

    def as_sqlite(self, compiler, connection, **context):
        return self._build(compiler, "json_object", _sqlite_json)

    def _build(self, compiler, function, encode):
        parts, params = [], []
        for key, field, expression in zip(self.keys, self.fields, self.source_expressions, strict=True):
            sql, own = compiler.compile(expression)
            template = encode(field)
            parts.append(f"%s, {template.format(sql)}")
            params += [key, *(list(own) * template.count("{}"))]
        return f"{function}({', '.join(parts)})", params


def _postgresql_json(field: models.Field) -> str:
    kind = field.get_internal_type()
    return "({})::text" if kind in ("DecimalField", "UUIDField") else "{}"


def _sqlite_json(field: models.Field) -> str:
    kind = field.get_internal_type()
    if kind == "JSONField":
        return "json({})"
    if kind == "BooleanField":
        return "json(CASE {} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)"
    if kind == "DateTimeField":
        return "replace({}, ' ', 'T') || '+00:00'"
    if kind == "DecimalField":
        return f"printf('%%.{field.decimal_places}f', {{}})"
    return "{}"


class WithoutNulls(Func):
    """A JSON object less its keys that are null."""

    output_field = JSONField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, function="jsonb_strip_nulls", **context)

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="json_patch('{}', %(expressions)s)", **context)


class CountRows(Subquery):
    """How many rows a queryset has; a slice of it stops the counting."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class JsonRows(Subquery):
    """All rows of a queryset as one JSON list; it must select one JSON value each, named `fact`."""

    output_field = JSONField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, "(SELECT jsonb_agg(r.fact) FROM (%(subquery)s) r)", **context)

    def as_sqlite(self, compiler, connection, **context):
        template = "(SELECT json_group_array(json(r.fact)) FROM (%(subquery)s) r)"
        return self.as_sql(compiler, connection, template, **context)
