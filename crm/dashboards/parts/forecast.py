"""Forecast vs. actual per pipeline and month, from stored snapshots and won opportunities."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth

from crm.dashboards.models import Forecast
from crm.dashboards.period import Period
from crm.dashboards.query import DashboardQuery
from crm.dashboards.tables import BarRow, Cell, Content, Part, Table, register
from crm.entities.values import zone
from crm.kit import formats
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.opportunities import pipelines
from crm.opportunities.lists import month

Sums = dict[tuple[str, str], dict[str, Any]]  # (month, currency): sums
NOTHING = {"count": 0, "total": Decimal(0)}


def forecast(asked: DashboardQuery) -> Content:
    """Return each month's forecast at its start (or the first later snapshot), and what was won.

    By pipeline, if there are several: then empty ones are left out, and a total of all follows.
    """
    asked = replace(asked, where="")  # a stored forecast covers the whole pipeline
    kept, won = _as_begun(list(_months(asked.period))), _won(asked)
    known, tables = pipelines.pipelines(), []
    for pipeline in known if len(known) > 1 else ():
        own = [[row for row in rows if row["pipeline"] == pipeline.key] for rows in (kept, won)]
        lines = _lines(asked, own[0], own[1], f" and pipeline = {pipeline.key}")  # not a text
        if lines:
            tables.append(_table(f"months_{pipeline.key}", pipelines.name_of(pipeline), lines))
    title = gettext("All pipelines") if len(known) > 1 else ""
    tables.append(_table("months", title, _lines(asked, kept, won, "")))
    note = gettext(
        "Weekly snapshot for the whole workspace. Filters don’t apply, and past forecasts can’t be drilled into."
    )
    return Content(tables, str(asked.period), note=note)


def _table(name: str, title: str, lines: Sequence[BarRow]) -> Table:
    headings = [gettext("Month"), gettext("Forecast date"), gettext("Forecast"), gettext("Weighted forecast")]
    headings += [gettext("Opportunities won"), gettext("Actual")]
    return Table(name, title, headings, lines, empty=gettext("No forecast snapshots yet."))


def _months(period: Period) -> Iterable[date]:
    first = month(period.first)[0]
    while first <= period.last:
        yield first
        first = month(first)[1]


def _as_begun(months: Sequence[date]) -> list[dict]:
    """Return the sums of each month's snapshot: of one day, so that pipelines add up to their total."""
    named = {f"{first:%Y-%m}": first for first in months}
    found = Forecast.objects.filter(month__in=named).order_by("day").values("month", "currency", "stage", "day")
    rows = list(found.annotate(total=Sum("amount"), likely=Sum("weighted")))
    days: dict[str, date] = {}
    for row in rows:
        if row["month"] not in days or row["day"] <= named[row["month"]]:
            days[row["month"]] = row["day"]
    stages = pipelines.process().stages
    return [row | {"pipeline": stages[row["stage"]].pipeline} for row in rows if row["day"] == days[row["month"]]]


def _won(asked: DashboardQuery) -> list[dict]:
    first, last = month(asked.period.first)[0], month(asked.period.last)[1]
    won = f"stage_kind = won and won_at >= {first} and won_at < {last}"  # not a text

    def build(asked: DashboardQuery) -> QuerySet:
        rows = asked.rows("opportunity", won).order_by().annotate(month=TruncMonth("won_at", tzinfo=zone()))
        return rows.values_list("month", "currency", "pipeline").annotate(count=Count("pk"), total=Sum("amount"))

    names = ("month", "currency", "pipeline", "count", "total")
    found = (dict(zip(names, row, strict=True)) for row in asked.fetch(build, "opportunity", won))
    return [row | {"month": f"{row['month']:%Y-%m}"} for row in found]


def _lines(asked: DashboardQuery, kept: Iterable[dict], won: Iterable[dict], also: str) -> list[BarRow]:
    begun, came = _summed(kept, "total", "likely"), _summed(won, "count", "total")
    keys = sorted(begun.keys() | came.keys(), reverse=True)
    return [_row(asked, key, begun.get(key), came.get(key, NOTHING), also) for key in keys]


def _summed(rows: Iterable[dict], *names: str) -> Sums:
    sums: Sums = {}
    for row in rows:
        into = sums.setdefault((row["month"], row["currency"]), dict(row) | dict.fromkeys(names, 0))
        for name in names:
            into[name] += row[name] or 0
    return sums


def _row(asked: DashboardQuery, key: tuple[str, str], kept: dict | None, won: dict, also: str) -> BarRow:
    first, currency = date.fromisoformat(f"{key[0]}-01"), key[1]
    won_then = f"stage_kind = won and won_at >= {first} and won_at < {month(first)[1]}"  # not a text
    text = f'{won_then} and currency = "{currency}"{also}'  # not a text
    said = [Cell("—")] * 3
    if kept:
        sums = (Cell(formats.money(round(kept[name], 0), currency), value=kept[name]) for name in ("total", "likely"))
        said = [Cell(formats.day(kept["day"])), *sums]
    came = (
        asked.count("opportunity", text, won["count"]),
        asked.amount("opportunity", text, won["total"], currency),
    )
    return BarRow(Cell(formats.month(first)), [*said, *came])


register(Part("forecast", _("Forecast vs. actual"), forecast, width=6, for_managers=True))
