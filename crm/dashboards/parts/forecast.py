"""Forecast vs. actual per month, from stored snapshots and won opportunities."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

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
from crm.opportunities.lists import month


def forecast(asked: DashboardQuery) -> Content:
    """Return each month's forecast at its start (or the first later snapshot), and what was won."""
    asked = replace(asked, where="")  # a stored forecast covers the whole pipeline
    months = list(_months(asked.period))
    begun = _as_begun(months)
    won = {(group["month"], group["currency"]): group for group in _won(asked)}
    keys = sorted(begun.keys() | {(f"{first:%Y-%m}", currency) for first, currency in won}, reverse=True)
    rows = [_row(asked, key, begun.get(key), won) for key in keys if key[0] in {f"{m:%Y-%m}" for m in months}]
    headings = [gettext("Month"), gettext("Forecast date"), gettext("Forecast"), gettext("Weighted forecast")]
    headings += [gettext("Opportunities won"), gettext("Actual")]
    table = Table("months", "", headings, rows, empty=gettext("No forecast snapshots yet."))
    note = gettext(
        "Weekly snapshot for the whole workspace. Filters don’t apply, and past forecasts can’t be drilled into."
    )
    return Content([table], str(asked.period), note=note)


def _months(period: Period) -> Iterable[date]:
    first = month(period.first)[0]
    while first <= period.last:
        yield first
        first = month(first)[1]


def _as_begun(months: Sequence[date]) -> dict[tuple[str, str], dict]:
    named = {f"{first:%Y-%m}": first for first in months}
    found = Forecast.objects.filter(month__in=named).order_by("day").values("month", "currency", "day")
    chosen: dict[tuple[str, str], dict] = {}
    for row in found.annotate(total=Sum("amount"), likely=Sum("weighted")):
        key = row["month"], row["currency"]
        if key not in chosen or row["day"] <= named[row["month"]]:
            chosen[key] = row
    return chosen


def _won(asked: DashboardQuery) -> Iterable[dict]:
    first, last = month(asked.period.first)[0], month(asked.period.last)[1]
    won = f"stage_kind = won and won_at >= {first} and won_at < {last}"  # not a text

    def build(asked: DashboardQuery) -> QuerySet:
        rows = asked.rows("opportunity", won).order_by().annotate(month=TruncMonth("won_at", tzinfo=zone()))
        return rows.values_list("month", "currency").annotate(count=Count("pk"), total=Sum("amount"))

    for begun, currency, count, total in asked.fetch(build, "opportunity", won):
        yield {"month": begun.date(), "currency": currency, "count": count, "total": total}


def _row(asked: DashboardQuery, key: tuple[str, str], kept: dict | None, won: dict) -> BarRow:
    first, currency = date.fromisoformat(f"{key[0]}-01"), key[1]
    group = won.get((first, currency), {"count": 0, "total": Decimal(0)})
    won_then = f"stage_kind = won and won_at >= {first} and won_at < {month(first)[1]}"  # not a text
    text = f'{won_then} and currency = "{currency}"'  # not a text
    said = [Cell("—")] * 3
    if kept:
        sums = (Cell(formats.money(round(kept[name], 0), currency), value=kept[name]) for name in ("total", "likely"))
        said = [Cell(formats.day(kept["day"])), *sums]
    came = (
        asked.count("opportunity", text, group["count"]),
        asked.amount("opportunity", text, group["total"], currency),
    )
    return BarRow(Cell(formats.month(first)), [*said, *came])


register(Part("forecast", _("Forecast vs. actual"), forecast, width=6, for_managers=True))
