"""Contacts by stage, now and over time, and leads by status and stage."""

from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet

from contacts.axes import LIFECYCLE
from contacts.models import Contact
from crm.conditions.relative_dates import start_of
from crm.dashboards.charts import stacked
from crm.dashboards.period import Period
from crm.dashboards.query import DashboardQuery
from crm.dashboards.tables import BarRow, Cell, Content, Part, Table, barred, register
from crm.entities.values import zone
from crm.kit import formats
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.condition_fields import entered, moves_of
from leads.axes import STAGE, STATUS

POINTS = 12  # in the chart, besides its start


def composition(asked: DashboardQuery) -> Content:
    """Return contacts by current lifecycle stage."""

    def build(asked: DashboardQuery) -> QuerySet:
        return asked.rows("contact").order_by().values_list("lifecycle_stage").annotate(count=Count("pk"))

    counts = dict(asked.fetch(build, "contact"))
    lines = [_line(asked, choice, counts.get(choice.value, 0)) for choice in LIFECYCLE.values]
    headings = (gettext("Lifecycle stage"), gettext("Contacts"))
    return Content([Table("now", "", headings, barred(lines), bars=True)], sub=gettext("Now"))


def _line(asked: DashboardQuery, choice, count: int) -> tuple:
    cell = asked.count("contact", f"lifecycle_stage = {choice.value}", count)
    return Cell(choice.label, cell.url), (cell,), count, choice.tone


def days_shown(period: Period) -> list[date]:
    """Return the days at whose start contacts are counted: from the first of the period to the day after the last."""
    steps = min(POINTS, period.days)
    return [period.first + timedelta(days=round(n * period.days / steps)) for n in range(steps + 1)]


def stood(stage: str, day: date) -> str:
    """Return the condition that a contact was at a stage when a day began."""
    still = f"lifecycle_stage = {stage} and lifecycle_stage_since < {day}"  # not a text
    left = f"from = {stage} and entered < {day} and moved_at >= {day}"  # not a text
    return f"({still}) or any lifecycle_stage_moves ({left})"  # not a text


def over_time(asked: DashboardQuery) -> Content:
    """Return contacts by stage through the period, from current and left stages; one statement."""
    shown = days_shown(asked.period)
    counts = _counts(asked, [start_of(day, zone()) for day in shown])
    rows = [
        BarRow(Cell(formats.day(day)), [_then(asked, c.value, day, counts[c.value][n]) for c in LIFECYCLE.values])
        for n, day in enumerate(shown)
    ]
    table = Table("days", "", (gettext("Date"), *(choice.label for choice in LIFECYCLE.values)), rows)
    area = stacked([(c.label, c.tone, counts[c.value]) for c in LIFECYCLE.values], shown)
    return Content([table], sub=str(asked.period), area=area)


def _then(asked: DashboardQuery, stage: str, day: date, count: int) -> Cell:
    return asked.count("contact", stood(stage, day), count)


def _counts(asked: DashboardQuery, moments: list[datetime]) -> dict[str, list[int]]:
    names = [f"n{n}" for n in range(len(moments))]
    now = {name: Q(lifecycle_stage_since__lt=moment) for name, moment in zip(names, moments, strict=True)}
    gone = {name: Q(entered__lt=moment, at__gte=moment) for name, moment in zip(names, moments, strict=True)}

    def build(asked: DashboardQuery) -> QuerySet:
        people = asked.rows("contact").order_by()
        still = _each(people.filter(lifecycle_stage_since__lt=moments[-1]).values("lifecycle_stage"), now)
        left = _each(_left(people, moments[0]).values("from_value"), gone)
        counted = still.values_list("lifecycle_stage", *names)
        return counted.union(left.values_list("from_value", *names), all=True)

    sums = {choice.value: [0] * len(moments) for choice in LIFECYCLE.values}
    for stage, *counts in asked.fetch(build, "contact"):
        if stage in sums:
            sums[stage] = [a + b for a, b in zip(sums[stage], counts, strict=True)]
    return sums


def _left(people: QuerySet[Contact], first: datetime) -> QuerySet:
    moves = moves_of(LIFECYCLE).filter(at__gte=first).exclude(from_value="").order_by()
    return moves.filter(record_id__in=people.values("pk")).annotate(entered=entered())


def _each(rows: QuerySet, tests: dict[str, Q]) -> QuerySet:
    return rows.annotate(**{name: Count("pk", filter=test) for name, test in tests.items()})


def leads(asked: DashboardQuery) -> Content:
    def build(asked: DashboardQuery) -> QuerySet:
        return asked.rows("lead").order_by().values_list("status", "stage").annotate(count=Count("pk"))

    counts = {(status, stage): count for status, stage, count in asked.fetch(build, "lead")}
    rows = []
    for status in STATUS.values:
        cells = [_both(asked, status.value, stage.value, counts) for stage in STAGE.values]
        together = sum(counts.get((status.value, stage.value), 0) for stage in STAGE.values)
        rows.append(BarRow(Cell(status.label), [*cells, asked.count("lead", f"status = {status.value}", together)]))
    headings = (gettext("Status"), *(stage.label for stage in STAGE.values), gettext("All"))
    return Content([Table("grid", "", headings, rows)], sub=gettext("Now"))


def _both(asked: DashboardQuery, status: str, stage: str, counts: dict) -> Cell:
    text = f"status = {status} and stage = {stage}"  # not a text
    return asked.count("lead", text, counts.get((status, stage), 0))


register(Part("composition", _("Contacts by lifecycle stage"), composition, width=5))
register(Part("leads", _("Leads by status and qualification stage"), leads, width=7))
register(Part("over_time", _("Contacts by lifecycle stage over time"), over_time, width=12))
