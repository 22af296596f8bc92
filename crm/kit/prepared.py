"""Queries that are asked again and again with other values: compiled once, then only bound.

Building and compiling a queryset of some filters costs the ORM about a millisecond, several times what the database
needs to answer. `fetch` compiles it twice with made-up values and finds out where each of them went; from then on the
same shape of query is one call of execute(). A query in which a value went somewhere it cannot follow (today's date
in a time zone, a month's length) is built anew each time, as if this module were not there.

With `plan_once` PostgreSQL plans it once too, for whatever values: for a sum of small look-ups, where planning took
twice as long as answering. Not for rows in an order: how many a person sees decides which index serves them (a plan
made for the average team took 9 ms where the right one took 4).
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from crm.kit import clock

Build = Callable[..., QuerySet]
MOST = 500  # shapes kept in memory
FOLLOWED = (int, str, datetime, type(None))
MOMENTS = (datetime(2200, 3, 10, 12, tzinfo=UTC), datetime(2200, 5, 21, 13, 30, tzinfo=UTC))


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


_kept: OrderedDict[Hashable, Compiled | None] = OrderedDict()


def fetch(key: Hashable, build: Build, *, plan_once: bool = False, **values: Any) -> list[tuple]:
    """The rows of `build(**values)`, a queryset of values_list(), asked at clock.now().

    `key` names everything else that shapes the query: whatever build() closes over. Values are numbers, texts, aware
    moments, or None, which is part of the shape.
    """
    shape = (connection.vendor, key, tuple((name, value is None) for name, value in sorted(values.items())))
    if shape not in _kept:
        _kept[shape] = _learn(build, values, plan_once)
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    compiled = _kept[shape]
    return list(build(**values)) if compiled is None else _run(compiled, values)


def forget() -> None:
    """Empty the memory: for tests that change what a key stands for."""
    _kept.clear()


def _learn(build: Build, values: dict[str, Any], plan_once: bool) -> Compiled | None:
    if any(type(value) not in FOLLOWED for value in values.values()):
        return None
    made_up = [
        {name: _stand_in(value, place, attempt) for place, (name, value) in enumerate(values.items())}
        for attempt in (0, 1)
    ]
    (sql, first, compiler), (other_sql, second, _) = map(_compile, (build, build), made_up, MOMENTS)
    if sql != other_sql or len(first) != len(second):
        return None
    slots = [_slot(a, b, *made_up) for a, b in zip(first, second, strict=True)]
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

    return re.sub("%%|%s", write, sql), tuple(param for param in params if isinstance(param, Slot))


def _compile(build: Build, values: dict[str, Any], moment: datetime) -> tuple[str, tuple, Any]:
    with clock.at(moment):
        compiler = build(**values).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
    return sql, tuple(params), compiler


def _stand_in(value: Any, place: int, attempt: int) -> Any:
    """A value of the same type that stands nowhere else in a query, another one for each place and attempt."""
    if value is None:
        return None
    number = 9_000_000_000_000_001 + place * 2 + attempt
    if isinstance(value, datetime):
        return datetime(2250 + attempt, 1, 1 + place, tzinfo=UTC)
    if isinstance(value, str):
        return f"stand-in {number}"
    return number


def _slot(a: Any, b: Any, first: dict[str, Any], second: dict[str, Any]) -> Slot | list | None:
    """What a parameter that was `a` and then `b` is made of; None for what cannot be told."""
    for name in first:
        if a == first[name] and b == second[name] and a != b:
            return Slot(name)
    if a == b:
        return [a]
    if isinstance(a, datetime) and isinstance(b, datetime) and a - MOMENTS[0] == b - MOMENTS[1]:
        return Slot("", a - MOMENTS[0])
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
