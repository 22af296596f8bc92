"""The pipeline: open opportunities by stage and month, slipped ones, and won and lost ones."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth

from crm.dashboards.period import today
from crm.dashboards.query import DashboardQuery, any_of
from crm.dashboards.tables import BarRow, Cell, Content, Part, Table, register
from crm.kit import formats
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.board import WEIGHTED
from crm.opportunities.lists import month

IS_OPEN = any_of("stage", OPEN)
SUMS = {"count": Count("pk"), "total": Sum("amount"), "likely": Sum(WEIGHTED)}
TONES = {choice.value: choice.tone for choice in STAGE.values}


def pipeline(asked: DashboardQuery) -> Content:
    """Return open opportunities by stage and closing month; amounts by currency."""
    slipped = f"{IS_OPEN} and close_date < {today()}"  # not a text
    found = _groups(asked, slipped)
    tables = [_by_stage(asked, found), _by_month(asked, found)]
    late = sum(group["count"] for group in found if group["late"])
    line = BarRow(Cell(gettext("Past close date")), [asked.count("opportunity", slipped, late)])
    headings = (gettext("Issue"), gettext("Opportunities"))
    tables.append(Table("slipped", gettext("Overdue"), headings, [line]))
    return Content(tables, sub=gettext("Now"))


def _groups(asked: DashboardQuery, slipped: str) -> list[dict]:
    """Return open opportunities by stage, closing month, currency and whether overdue; one statement."""

    def build(asked: DashboardQuery) -> QuerySet:
        late = asked.first("opportunity", {1: slipped})
        rows = asked.rows("opportunity", IS_OPEN).order_by().annotate(month=TruncMonth("close_date"), late=late)
        return rows.values_list("stage", "month", "currency", "late").annotate(**SUMS)

    names = ("stage", "month", "currency", "late", *SUMS)
    return [dict(zip(names, row, strict=True)) for row in asked.fetch(build, "opportunity", slipped)]


def _summed(found: Iterable[dict], key: str) -> list[dict]:
    sums: dict[tuple, dict] = {}
    for group in found:
        one = sums.setdefault(
            (group[key], group["currency"]), {key: group[key], "currency": group["currency"]} | dict.fromkeys(SUMS, 0)
        )
        for name in SUMS:
            one[name] += group[name] or 0
    return list(sums.values())


def _by_stage(asked: DashboardQuery, groups: Iterable[dict]) -> Table:
    found = _summed(groups, "stage")
    found.sort(key=lambda group: (OPEN.index(group["stage"]), group["currency"]))
    most = max((group["total"] or 0 for group in found), default=0) or 1
    lines = []
    for group in found:
        text = f"stage = {group['stage']} and {_currency(group)}"
        cells, bar = amounts(asked, text, group), round(100 * float(group["total"] or 0) / float(most), 2)
        lines.append(BarRow(Cell(STAGE.value(group["stage"]).label, cells[0].url), cells, bar, TONES[group["stage"]]))
    headings = (gettext("Stage"), *_sums())
    return Table("stages", gettext("By stage"), headings, lines, bars=True, empty=gettext("No open opportunities."))


def _sums() -> tuple[str, str, str]:
    return gettext("Opportunities"), gettext("Amount"), gettext("Weighted")


def _currency(group: dict) -> str:
    return f'currency = "{group["currency"]}"'


def amounts(asked: DashboardQuery, text: str, group: dict) -> list[Cell]:
    """Return a group's number, amount and weighted amount; the latter is computed and opens no list."""
    weighted = group["likely"] or Decimal(0)
    return [
        asked.count("opportunity", text, group["count"]),
        asked.amount("opportunity", text, group["total"], group["currency"]),
        Cell(formats.money(round(weighted, 0), group["currency"]), value=round(weighted, 2)),
    ]


def _by_month(asked: DashboardQuery, groups: Iterable[dict]) -> Table:
    found = sorted(_summed(groups, "month"), key=lambda group: (group["month"] or date.max, group["currency"]))
    lines = [BarRow(Cell(_name(group["month"])), amounts(asked, _text(group), group)) for group in found]
    return Table("months", gettext("By close month"), (gettext("Month"), *_sums()), lines, empty="")


def _name(first: date | None) -> str:
    return formats.month(first) if first else gettext("No close date")


def _text(group: dict) -> str:
    if group["month"] is None:
        return f"{IS_OPEN} and close_date is empty and {_currency(group)}"  # not a text
    first, after = month(group["month"])
    return f"{IS_OPEN} and close_date >= {first} and close_date < {after} and {_currency(group)}"  # not a text


def results(asked: DashboardQuery) -> Content:
    """Return the period's won and lost opportunities; amounts by currency."""
    texts = {stage: f"stage = {stage} and {asked.period.of(f'{stage}_at')}" for stage in ("won", "lost")}
    both = " or ".join(f"({text})" for text in texts.values())

    def build(asked: DashboardQuery) -> QuerySet:
        return asked.rows("opportunity", both).order_by().values_list("stage", "currency").annotate(**SUMS)

    names = ("stage", "currency", *SUMS)
    found = [dict(zip(names, row, strict=True)) for row in asked.fetch(build, "opportunity", both)]
    headings = (gettext("Outcome"), gettext("Opportunities"), gettext("Amount"))
    return Content([Table("results", "", headings, list(_outcomes(asked, found, texts)))], str(asked.period))


def _outcomes(asked: DashboardQuery, found: Iterable[dict], texts: dict[str, str]) -> Iterable[BarRow]:
    for group in sorted(found, key=lambda group: (group["stage"] != "won", group["currency"])):
        text = f"{texts[group['stage']]} and {_currency(group)}"
        yield BarRow(Cell(STAGE.value(group["stage"]).label), amounts(asked, text, group)[:2])


register(Part("pipeline", _("Pipeline"), pipeline, width=6))
register(Part("results", _("Won and lost"), results, width=6))
