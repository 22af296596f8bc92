"""Percentiles of durations, on both engines."""

from datetime import timedelta
from math import floor

from django.db.models import Aggregate, DurationField

from crm.kit import formats
from crm.kit.translation import gettext as _


class Percentile(Aggregate):
    """The duration below which a fraction (0.5: the median) lies, interpolated."""

    name = "Percentile"
    template = "PERCENTILE_CONT(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def __init__(self, expression, share: float, **extra):
        super().__init__(expression, share=share, **extra)

    def as_sqlite(self, compiler, connection, **context):
        own = self.copy()
        own.template = "PERCENTILE_OF(%(expressions)s, %(share)s)"
        return own.as_sql(compiler, connection, **context)


class _PercentileOf:
    """SQLite's aggregate: microseconds, collected and sorted."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self.share = 0.0

    def step(self, value: int | None, share: float) -> None:
        self.share = share
        if value is not None:
            self.values.append(value)

    def finalize(self) -> int | None:
        """Return the result; None without rows."""
        return round(percentile(self.values, self.share)) if self.values else None


def percentile(values: list, share: float) -> float:
    """Return the percentile of a non-empty list, as PostgreSQL's percentile_cont defines it."""
    ordered, place = sorted(values), share * (len(values) - 1)
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def register_percentile(connection, **kwargs) -> None:
    """Register PERCENTILE_OF on a new SQLite connection; a receiver of connection_created."""
    if connection.vendor == "sqlite":
        connection.connection.create_aggregate("PERCENTILE_OF", 2, _PercentileOf)


def days(span: timedelta | None) -> str:
    """Format a duration: 3 h, 2.5 d, 34 d; — for None."""
    if span is None:
        return "—"
    hours = span.total_seconds() / 3600
    if abs(hours) < 48:
        return _("{hours} h").format(hours=formats.number(hours, 0))
    return _("{days} d").format(days=formats.number(hours / 24, 1 if abs(hours) < 240 else 0))
