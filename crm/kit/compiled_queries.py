"""Compiled queries and writes: built once, then executed with new values.

Building and compiling a queryset with a few filters costs the ORM about a millisecond, several times the database's own
time. The statement is built once with a Param in place of each value and cached. Operations a Param does not support (a
text without its blanks, a month ago) raise CannotCompile; such a query is then built on each call, without this module.

With `plan_once` PostgreSQL also plans it once, for any values: for sums of small lookups, where planning took twice as
long as execution. Not for ordered rows: how many rows a person sees decides which index is best (a plan for the average
team took 9 ms where the right one took 4).

Why: docs/decisions/0026-list-pages-built-for-speed.md
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from django.core.exceptions import EmptyResultSet, FieldError
from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from crm.kit import clock
from crm.kit.param import CannotCompile, CurrentTimeParam, Param
from crm.kit.scope import workspace, workspace_id
from crm.kit.sql import RawCondition, Statement, as_cte, as_stored, simple_where

Build = Callable[..., QuerySet]
T = TypeVar("T")
MOST = 500  # query shapes kept in memory
FIELDS_BY_TYPE: dict[type, models.Field] = {
    int: models.BigIntegerField(),
    str: models.TextField(),
    float: models.FloatField(),
    datetime: models.DateTimeField(),
    UUID: models.UUIDField(),
    dict: models.JSONField(),
}


@dataclass(frozen=True)
class Compiled:
    """A finished compiler and its statement, whose parameters are Params or constants."""

    compiler: Any
    statement: Statement
    plan_once: bool


class LRUCache(Generic[T]):
    """The MOST recently used values by key, shared by all threads."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, default: T | None = None) -> T | None:
        with self._lock:
            if key not in self._values:
                return default
            self._values.move_to_end(key)
            return self._values[key]

    def keep(self, key: Hashable, value: T) -> T:
        """Store a value under a key, evicting the least recently used."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > MOST:
                self._values.popitem(last=False)
        return value

    def values(self) -> list[T]:
        with self._lock:
            return list(self._values.values())

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


NEW = Compiled(None, Statement("", ()), plan_once=False)  # not compiled yet; None means it cannot be
_kept: LRUCache[Compiled | None] = LRUCache()
_writes: LRUCache[list[Statement]] = LRUCache()


def run_cached(key: Hashable, build: Build, *, plan_once: bool = False, **values: Any) -> list[tuple]:
    """Return the rows of `build(**values)`, a queryset of values_list(), evaluated at clock.now().

    `key` names everything else that shapes the query, i.e. whatever build() closes over. Values are numbers, texts,
    aware datetimes or None; other types are not cached. None and the workspace's calendar day are part of the shape.
    """
    zone = ZoneInfo(workspace().timezone)
    day = clock.now().astimezone(zone).date()
    shape = (connection.vendor, zone, day, key, tuple((name, type(value)) for name, value in sorted(values.items())))
    compiled = _kept.get(shape, NEW)
    if compiled is NEW:
        compiled = _kept.keep(shape, _compile(build, values, plan_once, CurrentTimeParam(day, zone)))
    if compiled is None:
        return list(build(**values))
    compiler = copy(compiled.compiler)
    compiler.connection = connection
    with _executed([compiled.statement], values, compiled.plan_once) as cursor:
        return list(compiler.results_iter([cursor.fetchall()], tuple_expected=True))


def run_cached_over(
    rows: QuerySet, key: Hashable, build: Build, *, plan_once: bool = False, **values: Any
) -> Iterable[tuple]:
    """Return the rows of `build(rows, **values)` like run_cached(): compiled once per WHERE clause of `rows`.

    Not cached if there is more to `rows` than a simple_where().
    """
    where = simple_where(rows)
    if where is None:
        return build(rows, **values)
    given = {f"given_{index}": value for index, value in enumerate(where.params)}

    def compiled(**params: Any) -> QuerySet:
        condition = RawCondition(where.sql, [params.pop(name) for name in given])
        return build(rows.model._default_manager.filter(condition), **params)

    is_typed = all(type(value) is int for value in where.params)  # the server would not know other types
    shape = (key, workspace_id(), rows.model, where.sql)
    return run_cached(shape, compiled, plan_once=plan_once and is_typed, **values, **given)


def execute_cached(
    key: Hashable, build: Callable[[Mapping[str, Any]], list[Statement]], values: Mapping[str, Any]
) -> int:
    """Execute the statements of `build(values)` together. Return how many rows the last one changed.

    build() gets a Param for each value, once per `key` (as in run_cached) and types of values. None, and values of
    types outside FIELDS_BY_TYPE, are passed as they are; the latter disable the cache.
    """
    values = {name: str(value) if isinstance(value, str) else value for name, value in values.items()}  # enums
    shape = (connection.vendor, workspace_id(), key, tuple((name, type(value)) for name, value in values.items()))
    statements = _writes.get(shape)
    if statements is None:
        statements = [_with_constants(each) for each in as_cte(build(_params(values)))]
        if _can_be_kept(values):
            _writes.keep(shape, statements)
    with _executed(statements, values, plan_once=True) as cursor:
        return cursor.rowcount


def _can_be_kept(values: Mapping[str, Any]) -> bool:
    return all(value is None or type(value) in FIELDS_BY_TYPE for value in values.values())


def _params(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: Param(name, FIELDS_BY_TYPE[type(value)]) if type(value) in FIELDS_BY_TYPE else value
        for name, value in values.items()
    }


def _compile(build: Build, values: dict[str, Any], plan_once: bool, now: Any) -> Compiled | None:
    if not _can_be_kept(values):
        return None
    try:
        with clock.at(now):
            compiler = build(**_params(values)).query.get_compiler(connection=connection)
            statement = Statement(*compiler.as_sql())
    except (CannotCompile, EmptyResultSet, FieldError, TypeError):  # if a value is at fault, the plain query fails too
        return None
    if plan_once:
        statement = _with_constants(statement)
    return Compiled(compiler, statement, plan_once)


def _with_constants(statement: Statement) -> Statement:
    """Inline the constants on PostgreSQL, so that the planner knows their values and types."""
    if connection.vendor != "postgresql":
        return statement
    connection.ensure_connection()
    client, rest = psycopg.ClientCursor(connection.connection), iter(statement.params)

    def write(found: re.Match) -> str:
        param = None if found[0] == "%%" else next(rest)
        is_later = param is None or isinstance(param, Param)
        return found[0] if is_later else client.mogrify("%s", [param]).replace("%", "%%")

    sql = re.sub("%%|%s", write, statement.sql)
    return Statement(sql, tuple(param for param in statement.params if isinstance(param, Param)))


@contextmanager
def _executed(statements: Sequence[Statement], values: Mapping[str, Any], plan_once: bool) -> Iterator[Any]:
    """Execute the statements with these values; yield the cursor of the last one.

    To plan once, by a cursor that prepares statements; Django's own inlines values, which a query log shows.
    """
    connection.ensure_connection()
    inlined = not plan_once or connection.queries_logged or connection.vendor != "postgresql"
    with connection.cursor() if inlined else CursorWrapper(psycopg.Cursor(connection.connection), connection) as cursor:
        for sql, params in statements:
            cursor.execute(sql, [as_stored(p.value(values)) if isinstance(p, Param) else p for p in params])
        yield cursor
