"""Values that a compiled statement is told when it is executed."""

from collections.abc import Mapping
from copy import copy
from datetime import date, timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Expression

from crm.kit import clock


class CannotCompile(AttributeError):
    """Something was asked of a Param that only the value itself can tell. An AttributeError, as Django asks hasattr."""


class Param(Expression):
    """The value called `name` of those a statement is told, as `output_field`; its one parameter is this object.

    A moment can be moved: `param - timedelta(days=14)`. To ask anything else of it raises CannotCompile, but for what
    Django asks of expressions too: a build() must not branch on a value by `==`, `in`, isinstance() or its truth.
    """

    shift = timedelta()

    def __init__(self, name: str, output_field: models.Field):
        self.name = name
        super().__init__(output_field=output_field)

    @property
    def identity(self):  # by which Django drops what it takes for repeated
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
        # The server has to know the type before it knows the value.
        return f"%s::{self.output_field.db_type(connection)}", [self]


class CurrentTimeParam(Param):
    """The moment at which a statement is executed, on a calendar day of the workspace, in its time zone."""

    is_local = False

    def __init__(self, day: date, zone: ZoneInfo):
        self.day, self.zone = day, zone
        super().__init__("now", models.DateTimeField())

    def value(self, values: Mapping[str, Any]) -> Any:
        return clock.now() + self.shift

    def astimezone(self, zone: ZoneInfo) -> "CurrentTimeParam":
        """The same moment in the workspace's time zone, of which nothing is known but its day."""
        if zone != self.zone:
            raise CannotCompile("the time in another zone")
        local = copy(self)
        local.is_local = True
        return local

    def date(self) -> date:
        if self.shift or not self.is_local:
            raise CannotCompile("the day of a moved moment, or in another zone")
        return self.day
