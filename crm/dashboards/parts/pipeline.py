"""The pipeline: open opportunities by stage and month, slipped ones, and won and lost ones."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth

from crm.dashboards.period import today
from crm.dashboards.query import DashboardQuery
from crm.dashboards.tables import BarRow, Cell, Content, Part, Table, register
from crm.kit import formats
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.opportunities import pipelines
from crm.opportunities.axes import STAGE
from crm.opportunities.board import WEIGHTED
from crm.opportunities.lists import month
from crm.opportunities.models import StageKind

IS_OPEN = "stage_kind = open"  # not a text
SUMS = {"count": Count("pk"), "total": Sum("amount"), "likely": Sum(WEIGHTED)}


def pipeline(asked: DashboardQuery) -> Content:
    """Return open opportunities by stage and closing month; amounts by currency."""
    slipped = f"{IS_OPEN} and close_date < {today()}"  # not a text
    found = _groups(asked, slipped)
    tables = [*_by_stage(asked, found), _by_month(asked, found)]
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


def _by_stage(asked: DashboardQuery, groups: Iterable[dict]) -> Iterator[Table]:
    """Yield a table for each pipeline; of several, empty ones are left out and a total follows."""
    found, order = _summed(groups, "stage"), list(pipelines.process().stages)
    found.sort(key=lambda group: (order.index(group["stage"]), group["currency"]))
    most = max((group["total"] or 0 for group in found), default=0) or 1
    headings, known = (gettext("Stage"), *_sums()), pipelines.pipelines()
    for pipeline in known:
        rows = [group for group in found if pipelines.stage(group["stage"]).pipeline == pipeline.key]
        lines = [_stage_line(asked, group, most) for group in rows]
        name = pipelines.name_of(pipeline) if len(known) > 1 else gettext("By stage")
        key = "stages" if pipeline.is_default else f"stages_{pipeline.key}"
        if lines or pipeline.is_default:
            yield Table(key, name, headings, lines, bars=True, empty=gettext("No open opportunities."))
    if len(known) > 1:
        yield _total(asked, found)


def _stage_line(asked: DashboardQuery, group: dict, most: Decimal | int) -> BarRow:
    stage = STAGE.value(group["stage"])
    cells = amounts(asked, f"{STAGE.condition(group['stage'])} and {_currency(group)}", group)
    bar = round(100 * float(group["total"] or 0) / float(most), 2)
    return BarRow(Cell(stage.label, cells[0].url), cells, bar, stage.tone)


def _total(asked: DashboardQuery, groups: Iterable[dict]) -> Table:
    found = _summed([group | {"stage": "", "all": ""} for group in groups], "all")
    rows = [amounts(asked, f"{IS_OPEN} and {_currency(group)}", group) for group in found]
    lines = [BarRow(Cell(group["currency"]), cells) for group, cells in zip(found, rows, strict=True)]
    return Table("all", gettext("All pipelines"), (gettext("Currency"), *_sums()), lines, empty="")


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
    texts = {kind: f"stage_kind = {kind} and {asked.period.of(f'{kind}_at')}" for kind in ("won", "lost")}
    both = " or ".join(f"({text})" for text in texts.values())

    def build(asked: DashboardQuery) -> QuerySet:
        return asked.rows("opportunity", both).order_by().values_list("stage_kind", "currency").annotate(**SUMS)

    names = ("kind", "currency", *SUMS)
    found = [dict(zip(names, row, strict=True)) for row in asked.fetch(build, "opportunity", both)]
    headings = (gettext("Outcome"), gettext("Opportunities"), gettext("Amount"))
    return Content([Table("results", "", headings, list(_outcomes(asked, found, texts)))], str(asked.period))


def _outcomes(asked: DashboardQuery, found: Iterable[dict], texts: dict[str, str]) -> Iterable[BarRow]:
    for group in sorted(found, key=lambda group: (group["kind"] != "won", group["currency"])):
        text = f"{texts[group['kind']]} and {_currency(group)}"
        yield BarRow(Cell(StageKind(group["kind"]).label), amounts(asked, text, group)[:2])


register(Part("pipeline", _("Pipeline"), pipeline, width=6))
register(Part("results", _("Won and lost"), results, width=6))
