"""Placeholders for values of compiled statements, bound at execution."""

from collections.abc import Mapping
from copy import copy
from datetime import date, timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Expression

from crm.kit import clock


class CannotCompile(AttributeError):
    """An operation that needs a Param's value. An AttributeError, because Django calls hasattr."""


class Param(Expression):
    """Placeholder for the value called `name`, of type `output_field`; its one parameter is this object.

    A datetime can be shifted: `param - timedelta(days=14)`. Other operations raise CannotCompile, except those that
    Django applies to all expressions: a build() must not branch on a value by `==`, `in`, isinstance() or truth.
    """

    shift = timedelta()

    def __init__(self, name: str, output_field: models.Field):
        self.name = name
        super().__init__(output_field=output_field)

    @property
    def identity(self):  # Django drops duplicates by it
        return (*super().identity, self.shift)

    def value(self, values: Mapping[str, Any]) -> Any:
        return values[self.name] + self.shift if self.shift else values[self.name]

    def __add__(self, other):
        if not isinstance(other, timedelta):
            return super().__add__(other)
        moved = copy(self)
        moved.shift += other
        return moved

    def __sub__(self, other):
        return self + -other if isinstance(other, timedelta) else super().__sub__(other)

    def __getattr__(self, name: str) -> NoReturn:
        raise CannotCompile(f"{name} of {self.__class__.__name__}")

    def __str__(self) -> NoReturn:
        raise CannotCompile("the text of a value")

    __format__ = __int__ = __index__ = __float__ = __str__  # type: ignore[assignment]

    def as_sql(self, compiler, connection):
        return "%s", [self]

    def as_postgresql(self, compiler, connection):
        # The server needs the type before it gets the value.
        return f"%s::{self.output_field.db_type(connection)}", [self]


class CurrentTimeParam(Param):
    """Placeholder for the execution time, on a given calendar day of the workspace, in its time zone."""

    is_local = False

    def __init__(self, day: date, zone: ZoneInfo):
        self.day, self.zone = day, zone
        super().__init__("now", models.DateTimeField())

    def value(self, values: Mapping[str, Any]) -> Any:
        return clock.now() + self.shift

    def astimezone(self, zone: ZoneInfo) -> "CurrentTimeParam":
        """Return the time in the workspace's zone, of which only the day is known."""
        if zone != self.zone:
            raise CannotCompile("the time in another zone")
        local = copy(self)
        local.is_local = True
        return local

    def date(self) -> date:
        if self.shift or not self.is_local:
            raise CannotCompile("the day of a moved moment, or in another zone")
        return self.day
