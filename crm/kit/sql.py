"""Set-based writes beyond the ORM, for both engines."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection, models
from django.db.models import Expression, Func, IntegerField, JSONField, Lookup, Subquery, TextField, Value
from django.db.models.lookups import FieldGetDbPrepValueMixin
from django.db.models.sql import UpdateQuery

from crm.kit import statistics
from crm.kit.param import Param
from crm.kit.scope import WrongWorkspace, workspace_id

PLAIN = frozenset({str, int, type(None), bool, Decimal, float})  # passed to the driver unchanged
FEW = 20  # parameters of a condition that is worth caching


class Statement(NamedTuple):
    """A writing SQL statement and its parameters."""

    sql: str
    params: tuple


def insert_select(
    model: type[models.Model],
    rows: models.QuerySet,
    columns: Mapping[str, Any],
    *,
    ignore_conflicts: bool = False,
) -> int:
    """INSERT INTO `model` SELECT `columns` FROM `rows`, in one statement. Return how many.

    `columns` maps attribute names of `model` to values or expressions over `rows`. With `ignore_conflicts` existing
    rows are left unchanged. Raises WrongWorkspace for another workspace than the one in scope, NoWorkspace without one.
    """
    try:
        statement = insert_statement(model, rows, columns)
    except EmptyResultSet:  # a condition that Django knows is never true, such as an empty IN
        return 0
    conflict = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    count = execute([statement._replace(sql=statement.sql + conflict)])
    statistics.analyze_if_grown(model, count)
    return count


def insert_statement(model: type[models.Model], rows: models.QuerySet, columns: Mapping[str, Any]) -> Statement:
    """Return the statement of insert_select(). Raises EmptyResultSet if Django knows there are no rows."""
    if columns.get("workspace_id") != workspace_id():
        raise WrongWorkspace(f"{model._meta.label} rows belong to another workspace than the one in scope.")
    fields = _fields(model)
    values = {f"insert_{name}": _typed(fields[name], value) for name, value in columns.items()}
    sql, params = rows.order_by().annotate(**values).values_list(*values).query.sql_with_params()
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(fields[name].column)) for name in columns)
    return Statement(f"INSERT INTO {quote(model._meta.db_table)} ({names}) {sql}", tuple(params))


def update_statement(rows: models.QuerySet, columns: Mapping[str, Any]) -> Statement:
    """Return the statement of rows.update(**columns). Raises EmptyResultSet if Django knows there are no rows."""
    query: Any = rows.order_by().query.chain(UpdateQuery)
    query.add_update_values(columns)
    query.annotations = {}
    sql, params = query.get_compiler(connection=connection).as_sql()
    return Statement(sql, tuple(params))


def simple_where(rows: models.QuerySet) -> Statement | None:
    """Return the WHERE clause of `rows` if it is all of the query, on one table with few parameters; otherwise None."""
    query = rows.query
    more = query.annotations or query.extra or query.distinct or query.combinator or query.is_sliced
    joined = sum(count > 0 for count in query.alias_refcount.values()) > 1
    if more or joined or query.group_by is not None:
        return None
    try:
        sql, params = query.get_compiler(connection=connection).compile(query.where)
    except (EmptyResultSet, FullResultSet):
        return None
    return Statement(sql, tuple(params)) if len(params) <= FEW else None


def as_cte(statements: Sequence[Statement]) -> list[Statement]:
    """Merge the statements into one on PostgreSQL, for one round trip; the last may change rows read by the others.

    All parts see the rows as they were before the statement. SQLite allows no INSERT in a WITH, and has no round trips.
    """
    if connection.vendor != "postgresql":
        return list(statements)
    *first, last = statements
    parts = ", ".join(f"part_{index} AS ({each.sql})" for index, each in enumerate(first))
    params = tuple(param for each in statements for param in each.params)
    return [Statement(f"WITH {parts} {last.sql}" if first else last.sql, params)]


def execute(statements: Iterable[Statement]) -> int:
    """Execute statements in order. Return how many rows the last one changed."""
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
        return cursor.rowcount


def on_conflict_update(
    statement: Statement, model: type[models.Model], columns: Iterable[str], *, over: str, when: str
) -> Statement:
    """Return an INSERT that updates the row with the same unique `over` if a column other than `when` differs."""
    quote, fields = connection.ops.quote_name, _fields(model)
    named = [str(fields[name].column) for name in columns]
    changed = [quote(column) for column in named if column not in (over, "workspace_id")]
    setters = ", ".join(f"{column} = excluded.{column}" for column in changed)
    compared = [column for column in changed if column != quote(when)]
    differ = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    old, new = (
        ", ".join(f"{row}.{column}" for column in compared) for row in (quote(model._meta.db_table), "excluded")
    )
    instead = f" ON CONFLICT ({quote(over)}) DO UPDATE SET {setters} WHERE ({old}) {differ} ({new})"
    return statement._replace(sql=statement.sql + instead)


def _typed(field: models.Field, value: Any) -> Any:
    if value is None:
        return Value(None, output_field=TextField())  # as a value of a JSONField it would be JSON's null
    return value if hasattr(value, "resolve_expression") else Value(value, output_field=field)


def insert_rows(
    model: type[models.Model], names: Sequence[str], rows: Iterable[tuple], shared: Mapping[str, Any] | None = None
) -> None:
    """Insert rows in the workspace in scope: by COPY on PostgreSQL, by one prepared INSERT on SQLite.

    `names` are attribute names of `model`; each row holds driver-level values: times by as_stored(), JSON as text.
    `shared` are Python values common to all rows. Every non-null column must be named; only database constraints are
    checked. On PostgreSQL lazily created rows cost no time: the server works on earlier ones meanwhile.
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
            # The driver's cursor raises the driver's errors, but callers expect Django's.
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row + tail)
        else:
            marks = ", ".join(["%s"] * len(fields))
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
            # Django takes any iterable, unlike its stubs; a list would hold every row twice.
            cursor.executemany(sql, (row + tail for row in rows))  # type: ignore[arg-type]
        written = cursor.rowcount
    statistics.analyze_if_grown(model, written)


def insert_new(
    model: type[models.Model], names: Sequence[str], rows: Sequence[tuple], shared: Mapping[str, Any]
) -> int:
    """insert_rows() that skips rows violating a unique constraint, in one statement. Return how many it inserted."""
    same = {"workspace_id": workspace_id()} | dict(shared)
    fields = [_fields(model)[name] for name in (*names, *same)]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    into = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns})"
    tail = [as_stored(value) for value in same.values()]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{field.rel_db_type(connection)}[]" for field in fields[: len(names)])
            alike = ", ".join(f"%s::{field.rel_db_type(connection)}" for field in fields[len(names) :])
            given = [list(values) for values in zip(*rows, strict=True)]
            cursor.execute(f"{into} SELECT *, {alike} FROM unnest({arrays}) ON CONFLICT DO NOTHING", [*tail, *given])
        else:
            marks = ", ".join(["%s"] * len(fields))
            sql = f"{into} VALUES ({marks}) ON CONFLICT DO NOTHING"
            cursor.executemany(sql, [(*row, *tail) for row in rows])
        written = cursor.rowcount
    statistics.analyze_if_grown(model, written)
    return written


# Why: docs/decisions/0011-engine-skips-the-disk-wait.md
def commit_without_waiting() -> None:
    """Let PostgreSQL confirm this commit before it is on the disk; a later commit that waits covers it.

    For a step of a job that is repeated after a server crash: the crash can lose the step, but nothing already
    reported. SQLite with synchronous=NORMAL always does this.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


def as_stored(value: Any) -> Any:
    """Return a time, UUID or JSON object as the database's driver expects it."""
    if type(value) in PLAIN:  # true for nearly all values; checking each other type takes four times as long
        return value
    if isinstance(value, datetime):
        return stored_time()(value)
    if isinstance(value, dict):
        return json.dumps(value)
    return value.hex if isinstance(value, UUID) else value


@cache
def stored_time() -> Callable[[datetime], str]:
    """Return as_stored() for many times, which checks the database vendor only once."""
    if connection.vendor == "postgresql":
        return datetime.isoformat
    return lambda moment: str(moment.astimezone(UTC).replace(tzinfo=None))


def update_rows(model: type[models.Model], names: Sequence[str], rows: Sequence[tuple]) -> None:
    """Update columns of rows in the workspace in scope, each to its own values: (primary key, *values).

    One statement on PostgreSQL, one prepared statement on SQLite. JSON is passed as text.
    """
    fields = [model._meta.pk, *(_fields(model)[name] for name in names)]
    columns = [connection.ops.quote_name(str(field.column)) for field in fields]
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One JSON list per column: the driver takes longer over an array than PostgreSQL over the whole UPDATE.
            lists = ", ".join(["json_array_elements_text(%s)"] * len(fields))
            typed = list(zip(columns, (field.rel_db_type(connection) for field in fields), strict=True))
            setters = ", ".join(f"{column} = new.{column}::{kind}" for column, kind in typed[1:])
            sql = (
                f"UPDATE {table} SET {setters} FROM ROWS FROM ({lists}) AS new({', '.join(columns)}) "
                f"WHERE {table}.id = new.id::{typed[0][1]} AND {table}.workspace_id = %s"
            )
            arrays = [json.dumps(values, default=str) for values in zip(*rows, strict=True)]
            cursor.execute(sql, [*arrays, workspace_id()])
        else:
            setters = ", ".join(f"{column} = %s" for column in columns[1:])
            sql = f"UPDATE {table} SET {setters} WHERE id = %s AND workspace_id = %s"
            own = workspace_id()
            cursor.executemany(sql, [(*map(as_stored, row[1:]), row[0], own) for row in rows])


def next_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """Return reserved primary keys, ascending; on SQLite reserved until the transaction ends."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # In a subquery the sequence's name is looked up once, not for each key.
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
    """`field__any_of=values`: like `in`, with one parameter for any number of keys or texts.

    SQLite allows 32,766 parameters; on PostgreSQL Django and psycopg take longer over 5,000 of them than the query
    does. There the array is a literal, which the planner hashes if no index helps; a subquery might run once per row.
    """

    lookup_name = "any_of"
    prepare_rhs = False

    def as_postgresql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        kind = "text" if isinstance(self.lhs.output_field, models.CharField | models.TextField) else "bigint"
        return f"{column} = ANY(%s::{kind}[])", [*params, array_param(self.rhs)]

    def as_sqlite(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, array_param(self.rhs)]


def array_param(values: Any) -> Any:
    """Encode keys or texts as the one parameter of any_of; unchanged if it is one already."""
    if isinstance(values, Param | str):
        return values
    if connection.vendor != "postgresql":
        return json.dumps(list(values))
    escaped = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"


@models.UUIDField.register_lookup
class Unindexed(FieldGetDbPrepValueMixin, Lookup):
    """`change__unindexed=id`: like `=`, but never used for an index lookup.

    For queries on what one change did to some records. Planners assume a change has few rows: an import's has hundreds
    of thousands, and they would be read again for each of its batches.
    """

    lookup_name = "unindexed"

    def as_sqlite(self, compiler, connection):
        return self._joined(compiler, connection, "+{} = {}")

    def as_postgresql(self, compiler, connection):
        return self._joined(compiler, connection, "{} IS NOT DISTINCT FROM {}")

    def _joined(self, compiler, connection, template):
        left, params = self.process_lhs(compiler, connection)
        right, more = self.process_rhs(compiler, connection)
        return template.format(left, right), [*params, *more]


class RawCondition(Expression):
    """A condition from simple_where() with other parameters."""

    conditional = True

    def __init__(self, sql: str, params: Iterable[Any]):
        self.sql, self.params = sql, list(params)
        super().__init__(output_field=models.BooleanField())

    def as_sql(self, compiler, connection):
        return f"({self.sql})", self.params


class RandomText(Func):
    """32 random hexadecimal digits per row."""

    output_field = TextField()
    arity = 0

    def as_postgresql(self, compiler, connection, **context):
        return "replace(gen_random_uuid()::text, '-', '')", []

    def as_sqlite(self, compiler, connection, **context):
        return "lower(hex(randomblob(16)))", []


class JsonPairs(Func):
    """A JSON object of expressions, in the format that each field's to_python() parses."""

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
        # Not printf() alone: it formats NULL as 0.00.
        return f"CASE WHEN {{0}} IS NOT NULL THEN printf('%%.{field.decimal_places}f', {{0}}) END"
    return "{}"


class WithoutNulls(Func):
    """A JSON object without its null keys."""

    output_field = JSONField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, function="jsonb_strip_nulls", **context)

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="json_patch('{}', %(expressions)s)", **context)


class CountRows(Subquery):
    """The row count of a queryset; slice it to cap the count."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class JsonRows(Subquery):
    """All rows of a queryset as one JSON list; each row must be one JSON value named `fact`."""

    output_field = JSONField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, "(SELECT jsonb_agg(r.fact) FROM (%(subquery)s) r)", **context)

    def as_sqlite(self, compiler, connection, **context):
        template = "(SELECT json_group_array(json(r.fact)) FROM (%(subquery)s) r)"
        return self.as_sql(compiler, connection, template, **context)
