"""Score arithmetic in SQL, identical on both engines (DESIGN 1.3).

A stored sum S = Σ points · 2^((occurred_at − epoch) / half-life) gives the score at any instant without history: S ·
factor. In floating point, because numeric takes five times as long; rounding to millionths hides different orders of
addition.

Why: docs/decisions/0033-score-is-a-decaying-sum.md
"""

from datetime import UTC, datetime
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    F,
    FloatField,
    Func,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from contacts.models import EngagementEvent
from crm.kit.sql import as_stored
from leads.scoring.current import Model

ALWAYS = datetime(1, 1, 2, tzinfo=UTC)
# floor(round(x, 6) + 0.5), clamped to 0–100. CAST truncates, which equals floor() for non-negative numbers.
_ENGAGEMENT = {
    "postgresql": "floor((round(least(greatest(({}) * %s::float8, 0), 100) * '1e6'::float8) + 500000) / 1e6::float8)"
    "::integer",
    "sqlite": "CAST((round(min(max(({}) * %s, 0.0), 100.0) * 1e6) + 500000) / 1e6 AS INTEGER)",
}
# Beyond 1000 half-lives a float would over- or underflow, which PostgreSQL rejects.
_GROWTH = {
    "postgresql": "power(2::float8, greatest(least(date_part('epoch', {} - %s::timestamptz) / %s, 1000), -1000))",
    "sqlite": "power(2.0, max(min((CAST(strftime('%%s', {0}) AS INTEGER) - CAST(strftime('%%s', %s) AS INTEGER)"
    " + ('0' || substr({0}, 20)) - ('0' || substr(%s, 20))) / %s, 1000.0), -1000.0))",
}


def engagement_sql(vendor: str, total: str) -> str:
    """Return the SQL of a stored sum's engagement score; its additional parameter is the factor."""
    return _ENGAGEMENT[vendor].format(total)


class Engagement(Func):
    """The engagement score, 0–100, of a stored sum at the instant of `factor`, a float or a Param."""

    output_field = IntegerField()

    def __init__(self, total, factor: Any):
        self.factor = factor
        super().__init__(total)

    def as_postgresql(self, compiler, connection, **context):
        return self._compiled(compiler, "postgresql")

    def as_sqlite(self, compiler, connection, **context):
        return self._compiled(compiler, "sqlite")

    def _compiled(self, compiler, vendor):
        sql, params = compiler.compile(self.source_expressions[0])
        return engagement_sql(vendor, sql), [*params, self.factor]


class Growth(Func):
    """2^((moment − epoch) / half-life): a point's share of a stored sum. Exact to the microsecond."""

    output_field = FloatField()

    def __init__(self, moment, epoch: datetime, half_life: float):
        self.epoch, self.half_life = epoch, half_life
        super().__init__(moment)

    def as_postgresql(self, compiler, connection, **context):
        sql, params = compiler.compile(self.source_expressions[0])
        return _GROWTH["postgresql"].format(sql), [*params, self.epoch, self.half_life]

    def as_sqlite(self, compiler, connection, **context):
        sql, params = compiler.compile(self.source_expressions[0])
        epoch = as_stored(self.epoch)
        return _GROWTH["sqlite"].format(sql), [*params, epoch, *params, epoch, self.half_life]


def points(model: Model, path: str = "") -> Case:
    """Return an event's points (reached over `path`) by kind."""
    kinds = model.rules.engagement.items()
    whens = (When(**{f"{path}kind": kind}, then=Value(float(value))) for kind, value in kinds)
    return Case(*whens, default=Value(0.0), output_field=FloatField())


def stored_points(model: Model, path: str = "") -> Sum:
    return Sum(
        points(model, path) * Growth(F(f"{path}occurred_at"), model.epoch, model.half_life), output_field=FloatField()
    )


def counted(until: datetime | OuterRef) -> QuerySet[EngagementEvent]:
    """Return the events that count for the outer lead at an instant: those since the contact's previous lead closed."""
    theirs = EngagementEvent.objects.filter(contact=OuterRef("contact"), occurred_at__lte=until)
    since = Coalesce(OuterRef("counts_from"), Value(ALWAYS, DateTimeField()))
    return theirs.filter(occurred_at__gte=since).order_by()


def total(model: Model, until: datetime | OuterRef) -> Coalesce:
    """Return a lead's stored sum from its events up to an instant."""
    summed = counted(until).values("contact").annotate(total=stored_points(model)).values("total")
    return Coalesce(Subquery(summed, output_field=FloatField()), Value(0.0))
