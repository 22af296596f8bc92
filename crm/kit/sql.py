"""Set-based writes that the ORM has no words for, on both engines."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, connections, models
from django.db.models import Func, IntegerField, JSONField, Lookup, Subquery, TextField, Value

from crm.kit.scope import WrongWorkspace, workspace_id


def insert_select(model: type[models.Model], rows: models.QuerySet, columns: Mapping[str, Any]) -> int:
    """INSERT INTO `model` SELECT `columns` FROM `rows`: one statement however many rows. Returns how many.

    `columns` maps an attribute name of `model` to a value or to an expression over `rows`. Raises WrongWorkspace for
    another workspace than the one in scope, NoWorkspace without one.
    """
    if columns.get("workspace_id") != workspace_id():
        raise WrongWorkspace(f"{model._meta.label} rows belong to another workspace than the one in scope.")
    fields = _fields(model)
    values = {f"insert_{name}": _typed(fields[name], value) for name, value in columns.items()}
    try:
        sql, params = rows.order_by().annotate(**values).values_list(*values).query.sql_with_params()
    except EmptyResultSet:  # a condition that Django knows to hold for no row, such as an empty IN
        return 0
    connection = connections[rows.db]
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(fields[name].column)) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(model._meta.db_table)} ({names}) {sql}", params)
        return cursor.rowcount


def _typed(field: models.Field, value: Any) -> Any:
    if value is None:
        return Value(None, output_field=TextField())  # as a value of a JSONField it would be JSON's null
    return value if hasattr(value, "resolve_expression") else Value(value, output_field=field)


def insert_rows(
    model: type[models.Model], names: Sequence[str], rows: Iterable[tuple], shared: Mapping[str, Any] | None = None
) -> None:
    """Write rows of the workspace in scope: by COPY on PostgreSQL, by one prepared INSERT on SQLite.

    `names` are attribute names of `model`; each row holds their values as the driver takes them: times by as_stored(),
    JSON as text. `shared` are the Python values that all rows have alike. Columns that may not be null must be named,
    and nothing but the database's constraints checks. On PostgreSQL rows that are made as they are asked for cost
    nothing: the server is at work on those before them.
    """
    same = {"workspace_id": workspace_id()} | dict(shared or {})
    if same["workspace_id"] != workspace_id():
        raise WrongWorkspace(f"{model._meta.label} rows belong to another workspace than the one in scope.")
    fields = [_fields(model)[name] for name in (*names, *same)]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    tail = tuple(as_stored(value) for value in same.values())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The driver's cursor raises the driver's errors, where callers expect Django's.
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row + tail)
        else:
            marks = ", ".join(["%s"] * len(fields))
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
            # Django takes any iterable, which its stubs do not know; a list would hold every row twice.
            cursor.executemany(sql, (row + tail for row in rows))  # type: ignore[arg-type]


def commit_without_waiting() -> None:
    """Let PostgreSQL answer this transaction's commit before it is on the disk; a later commit that waits covers it.

    For a step of something that is done again as a whole when the server crashes: such a step may then be gone, and
    with it nothing that was told. SQLite with synchronous=NORMAL does so always.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


def as_stored(value: Any) -> Any:
    """A time, a UUID or a JSON object as the database's driver takes it."""
    if isinstance(value, datetime):
        return stored_time()(value)
    if isinstance(value, dict):
        return json.dumps(value)
    return value.hex if isinstance(value, UUID) else value


def stored_time() -> Callable[[datetime], str]:
    """as_stored() for many times: to ask which database it is takes longer than to write one."""
    if connection.vendor == "postgresql":
        return datetime.isoformat
    return lambda moment: str(moment.astimezone(UTC).replace(tzinfo=None))


def update_rows(model: type[models.Model], names: Sequence[str], rows: Sequence[tuple]) -> None:
    """Set columns of rows of the workspace in scope, each row to values of its own: (primary key, *values).

    One statement on PostgreSQL, one prepared statement on SQLite. JSON is given as text.
    """
    fields = [model._meta.pk, *(_fields(model)[name] for name in names)]
    rows = [tuple(map(as_stored, row)) for row in rows]
    columns = [connection.ops.quote_name(str(field.column)) for field in fields]
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{field.rel_db_type(connection)}[]" for field in fields)
            setters = ", ".join(f"{column} = new.{column}" for column in columns[1:])
            sql = (
                f"UPDATE {table} SET {setters} FROM unnest({arrays}) AS new({', '.join(columns)}) "
                f"WHERE {table}.id = new.id AND {table}.workspace_id = %s"
            )
            cursor.execute(sql, [*(list(values) for values in zip(*rows, strict=True)), workspace_id()])
        else:
            setters = ", ".join(f"{column} = %s" for column in columns[1:])
            sql = f"UPDATE {table} SET {setters} WHERE id = %s AND workspace_id = %s"
            own = workspace_id()
            cursor.executemany(sql, [(*row[1:], row[0], own) for row in rows])


def next_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """Primary keys that nobody else will get, ascending; on SQLite until the transaction ends."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # In a subquery the name of the sequence is looked up once, not for each key.
            sql = "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)"
            cursor.execute(sql, [connection.ops.quote_name(table), count])
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()[0]
    return range(last + 1, last + 1 + count)


def _fields(model: type[models.Model]) -> dict[str, models.Field]:
    return {field.attname: field for field in model._meta.concrete_fields}


@models.Field.register_lookup
class AnyOf(Lookup):
    """`field__any_of=values`: as `in`, in one parameter however many keys or texts there are.

    SQLite takes 32,766 parameters; on PostgreSQL Django and psycopg are longer over 5,000 of them than the query is.
    There the array is a literal, which the planner hashes where no index helps; a subquery it may run for every row.
    """

    lookup_name = "any_of"
    prepare_rhs = False

    def as_postgresql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        kind = "text" if isinstance(self.lhs.output_field, models.CharField | models.TextField) else "bigint"
        return f"{column} = ANY(%s::{kind}[])", [*params, _array(self.rhs)]

    def as_sqlite(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, json.dumps(list(self.rhs))]


def _array(values: Iterable[int] | Iterable[str]) -> str:
    escaped = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"


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
            params += [key, *(list(own) * template.count("{"))]
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
    if isinstance(field, models.DecimalField):
        # Not printf() alone: it writes NULL as 0.00.
        return f"CASE WHEN {{0}} IS NOT NULL THEN printf('%%.{field.decimal_places}f', {{0}}) END"
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
