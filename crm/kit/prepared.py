"""Queries that are asked again and again with other values: compiled once, then only bound.

Building and compiling a queryset of some filters costs the ORM about a millisecond, several times what the database
needs to answer. `fetch` compiles it twice with made-up values and finds out where each of them went; from then on the
same shape of query is one call of execute(). A query in which a value went somewhere it cannot follow (today's date
in a time zone, a month's length) is built anew each time, as if this module were not there; whoever asks the same all
day long says which day it is, and such values then stand still.

With `plan_once` PostgreSQL plans it once too, for whatever values: for a sum of small look-ups, where planning took
twice as long as answering. Not for rows in an order: how many a person sees decides which index serves them (a plan
made for the average team took 9 ms where the right one took 4).
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from django.db.models import QuerySet

from crm.kit import clock
from crm.kit.scope import workspace, workspace_id
from crm.kit.sql import Later, Statement, as_stored, together

Build = Callable[..., QuerySet]
T = TypeVar("T")
MOST = 500  # shapes kept in memory
APART = 7_919  # two made-up numbers, or seconds: nobody adds so many
FOLLOWED = (int, str, datetime, type(None))
KINDS: dict[type, models.Field] = {
    int: models.BigIntegerField(),
    str: models.TextField(),
    float: models.FloatField(),
    datetime: models.DateTimeField(),
    UUID: models.UUIDField(),
    dict: models.JSONField(),
}
Moments = tuple[datetime, datetime]
MOMENTS: Moments = (datetime(2200, 3, 10, 12, tzinfo=UTC), datetime(2200, 5, 21, 13, 30, tzinfo=UTC))


@dataclass(frozen=True)
class Slot:
    """A parameter that is `name`'s value, or (name '') the present moment, `shifted`."""

    name: str
    shifted: timedelta = timedelta()


@dataclass(frozen=True)
class Compiled:
    """A compiler that has done its work, its SQL, and each parameter: a Slot, or a constant in a list of one."""

    compiler: Any
    sql: str
    params: tuple[Slot | list, ...]
    plan_once: bool


class Recent(Generic[T]):
    """The MOST values that were asked for last, by key; for all threads."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, default: T | None = None) -> T | None:
        """The value under a key, or the default."""
        with self._lock:
            if key not in self._values:
                return default
            self._values.move_to_end(key)
            return self._values[key]

    def keep(self, key: Hashable, value: T) -> T:
        """Put a value under a key, in place of the one that was asked for the longest ago."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > MOST:
                self._values.popitem(last=False)
        return value

    def values(self) -> list[T]:
        """All values, the one asked for last at the end."""
        with self._lock:
            return list(self._values.values())

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._values.clear()


NEW = Compiled(None, "", (), plan_once=False)  # what was never compiled; None stands for what cannot be
_kept: Recent[Compiled | None] = Recent()
_writes: Recent[list[Statement]] = Recent()


def fetch(
    key: Hashable, build: Build, *, plan_once: bool = False, day: Moments | None = None, **values: Any
) -> list[tuple]:
    """The rows of `build(**values)`, a queryset of values_list(), asked at clock.now().

    `key` names everything else that shapes the query: whatever build() closes over. Values are numbers, texts, aware
    moments, or None, which is part of the shape. `day`: the first and the last moment of the calendar day on which the
    query is asked, where it depends on that.
    """
    given = tuple((name, value is None) for name, value in sorted(values.items()))
    shape = (connection.vendor, workspace().timezone, key, day, given)
    compiled = _kept.get(shape, NEW)
    if compiled is NEW:
        compiled = _kept.keep(shape, _learn(build, values, plan_once, day or MOMENTS))
    return list(build(**values)) if compiled is None else _run(compiled, values)


def change(key: Hashable, build: Callable[[Mapping[str, Any]], list[Statement]], values: Mapping[str, Any]) -> int:
    """Execute the statements of `build(values)` together. Returns how many rows the last one changed.

    build() is given a Later for each value, and called once for each `key` (as in fetch) and kind of values. None and
    values of other types than KINDS it is given as they are; with one of the latter nothing is kept.
    """
    values = {name: str(value) if isinstance(value, str) else value for name, value in values.items()}  # enums
    shape = (connection.vendor, workspace_id(), key, tuple((name, type(value)) for name, value in values.items()))
    statements = _writes.get(shape)
    if statements is None:
        later = {name: Later(name, KINDS[type(v)]) if type(v) in KINDS else v for name, v in values.items()}
        statements = together(build(later))
        if connection.vendor == "postgresql":
            statements = [_numbered(each) for each in statements]
        if all(value is None or type(value) in KINDS for value in values.values()):
            _writes.keep(shape, statements)
    with _writing_cursor() as cursor:
        for statement in statements:
            cursor.execute(*_told(statement, values))
        return cursor.rowcount


def _numbered(statement: Statement) -> Statement:
    """The constants in the text, and each value once, however often it is used: for a cursor that sends it as it is."""
    sql, given = _merged(statement.sql, tuple(p if isinstance(p, Later) else [p] for p in statement.params))
    later: list[Any] = list(given)
    first = {param.name: param for param in later}
    places, rest = {name: place for place, name in enumerate(first, start=1)}, iter(later)
    sql = re.sub("%%|%s", lambda mark: "%" if mark[0] == "%%" else f"${places[next(rest).name]}", sql)
    return Statement(sql, tuple(first.values()))


def _told(statement: Statement, values: Mapping[str, Any]) -> tuple[str, list]:
    params = [as_stored(values[p.name]) if isinstance(p, Later) else p for p in statement.params]
    return statement.sql, params


def _writing_cursor():
    if connection.vendor != "postgresql":
        return connection.cursor()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.RawCursor(connection.connection)
    return (LoggedCursor if connection.queries_logged else CursorWrapper)(cursor, connection)


class LoggedCursor(CursorDebugWrapper):
    """Puts statements whose values are numbered into a log of queries: Django's own looks for %s."""

    def debug_sql(self, sql=None, params=None, use_last_executed_query=False, many=False):
        return super().debug_sql(sql, params, use_last_executed_query=False, many=many)


def forget() -> None:
    """Empty the memory: for tests that change what a key stands for."""
    _kept.clear()
    _writes.clear()


def _learn(build: Build, values: dict[str, Any], plan_once: bool, moments: Moments) -> Compiled | None:
    if any(type(value) not in FOLLOWED for value in values.values()):
        return None
    made_up = [
        {name: _stand_in(value, place, attempt) for place, (name, value) in enumerate(values.items())}
        for attempt in (0, 1)
    ]
    try:
        (sql, first, compiler), (other_sql, second, _) = map(_compile, (build, build), made_up, moments)
    except EmptyResultSet:  # Django knows of a column that it cannot hold such a number
        return None
    if sql != other_sql or len(first) != len(second):
        return None
    slots = [_slot(a, b, *made_up, moments=moments) for a, b in zip(first, second, strict=True)]
    params = tuple(slot for slot in slots if slot is not None)
    if len(params) < len(slots):
        return None
    if plan_once and connection.vendor == "postgresql":
        return Compiled(compiler, *_merged(sql, params), plan_once=True)
    return Compiled(compiler, sql, params, plan_once=False)


def _merged(sql: str, params: tuple) -> tuple[str, tuple]:
    """The constants in the text: the planner then knows them, and what type they are."""
    connection.ensure_connection()
    client, rest = psycopg.ClientCursor(connection.connection), iter(params)

    def write(found: re.Match) -> str:
        param = None if found[0] == "%%" else next(rest)
        return client.mogrify("%s", param).replace("%", "%%") if isinstance(param, list) else found[0]

    return re.sub("%%|%s", write, sql), tuple(param for param in params if not isinstance(param, list))


def _compile(build: Build, values: dict[str, Any], moment: datetime) -> tuple[str, tuple, Any]:
    with clock.at(moment):
        compiler = build(**values).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
    return sql, tuple(params), compiler


def _stand_in(value: Any, place: int, attempt: int) -> Any:
    """A value of the same type that stands nowhere else in a query, another one for each place and attempt.

    Whatever a query makes of it (another case, a text without its blanks, the next number, a midnight) is none of them.
    """
    if value is None:
        return None
    # Django leaves a comparison out that no value of a column can fail, so no column may be too small for it.
    number = 2_000_000_011 + (place * 2 + attempt) * APART
    if isinstance(value, datetime):
        moment = datetime(2250 + attempt, 1, 1, 7, 13, 21, 123_457, tzinfo=UTC)
        return moment + timedelta(seconds=place * APART, microseconds=place)
    if isinstance(value, str):
        return f" Stand-In %_\\ {number} "
    return number


def _slot(a: Any, b: Any, first: dict[str, Any], second: dict[str, Any], *, moments: Moments) -> Slot | list | None:
    """What a parameter that was `a` and then `b` is made of; None for what cannot be told."""
    for name in first:
        if a == first[name] and b == second[name] and a != b:
            return Slot(name)
    if a == b:
        return [a]
    if isinstance(a, datetime) and isinstance(b, datetime) and a - moments[0] == b - moments[1]:
        return Slot("", a - moments[0])
    return None


def _run(compiled: Compiled, values: dict[str, Any]) -> list[tuple]:
    now = clock.now()
    params = tuple(_bound(param, values, now) for param in compiled.params)
    compiler = copy(compiled.compiler)
    compiler.connection = connection
    with _cursor(compiled.plan_once) as cursor:
        cursor.execute(compiled.sql, params)
        return list(compiler.results_iter([cursor.fetchall()], tuple_expected=True))


def _cursor(preparing: bool):
    """A cursor, of those that prepare; Django's own puts the values into the text, which a log of queries shows."""
    if not preparing or connection.queries_logged:
        return connection.cursor()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
    return CursorWrapper(cursor, connection)


def _bound(param: Slot | list, values: dict[str, Any], now: datetime) -> Any:
    if isinstance(param, list):
        return param[0]
    return values[param.name] if param.name else now + param.shifted
