"""Funnel Lead → Qualified → Opportunity → Customer: conversion, time taken, and a breakdown.

A row is one qualification cycle: the lead was created, reached Qualified, was converted, and its opportunity won. The
dates are stored on the lead by the moving verbs and restored by undo, so that the funnel reads one table; a test
compares it with the transitions.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from crm.dashboards.groups import GroupBy, Names, grouped, offered, split_by
from crm.dashboards.percentile import Percentile, days
from crm.dashboards.period import Period
from crm.dashboards.query import MODES, DashboardQuery, totals
from crm.dashboards.tables import BarRow, Cell, Content, Part, Table, barred, register
from crm.kit import formats
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from leads.entities import won_at

FEW = 5  # below which a percentage is meaningless
OUT_OF_ORDER = 20  # rows shown


class FunnelStep(NamedTuple):
    """A step: its date, whether it or a later one was reached, and the date columns of it and the previous step.

    A lead converted without qualification has no date for that step: its time counts from the last date.
    """

    label: str
    tone: str
    at: str
    reached: str
    column: Any = None
    before: Any = None

    @property
    def span(self) -> ExpressionWrapper:
        return _span(self.column, self.before)

    @property
    def backwards(self) -> Q:
        return Q(LessThan(self.column, self.before))

    @property
    def forwards(self) -> Q:
        return Q(GreaterThanOrEqual(self.column, self.before))


def _span(later: Any, earlier: Any) -> ExpressionWrapper:
    return ExpressionWrapper(later - earlier, output_field=DurationField())


STEPS = (
    FunnelStep(_("Lead"), "amber", "created_at", ""),
    FunnelStep(
        _("Qualified"),
        "blue",
        "qualified_date",
        "(qualified_date is not empty or converted_date is not empty)",  # not a text
        F("qualified_date"),
        F("created_at"),
    ),
    FunnelStep(
        _("Opportunity"),
        "violet",
        "converted_date",
        "converted_date is not empty",  # not a text
        F("converted_date"),
        Coalesce("qualified_date", "created_at"),
    ),
    FunnelStep(_("Customer"), "green", "won_at", "won_at is not empty", won_at(), F("converted_date")),  # not a text
)
WHOLE = _span(won_at(), F("created_at"))
BACKWARDS = reduce(or_, (step.backwards for step in STEPS[1:]))


def condition(step: FunnelStep, mode: str, period: Period) -> str:
    """Return the condition of leads counted in a step: created in the period, or reaching it then at any age."""
    if mode == "flow":
        return period.of(step.at)
    return " and ".join(filter(None, (period.of("created_at"), step.reached)))


def _counts(asked: DashboardQuery, period: Period) -> list[Count]:
    return [Count("pk", filter=asked.test("lead", condition(step, asked.mode, period))) for step in STEPS]


def _times(asked: DashboardQuery, share: float) -> list[Percentile]:
    """Return a percentile of each step's time; steps dated before their predecessor are left out, and listed."""
    return [
        Percentile(
            step.span,
            share,
            filter=asked.test("lead", condition(step, asked.mode, asked.period)) & step.forwards,
        )
        for step in STEPS[1:]
    ]


def _within(asked: DashboardQuery, *periods: Period) -> str:
    parts = [period.of(step.at) for period in periods for step in (STEPS if asked.mode == "flow" else STEPS[:1])]
    return " or ".join(f"({part})" for part in parts)


class FunnelFigures(NamedTuple):
    """Totals: leads per step, in the prior period too, and the time of the later steps.

    `backwards`: the number of leads created in the period with dates out of order.
    """

    counts: Sequence[int]
    before: Sequence[int]
    median: Sequence[timedelta | None]
    late: Sequence[timedelta | None]
    backwards: int


def _found(asked: DashboardQuery) -> FunnelFigures:
    before = asked.period.before()
    within = _within(asked, asked.period, before)

    def build(asked: DashboardQuery) -> QuerySet:
        opened = asked.test("lead", condition(STEPS[0], "cohort", asked.period))
        times = (*_times(asked, 0.5), *_times(asked, 0.75))
        figures = (*_counts(asked, asked.period), *_counts(asked, before), *times)
        return totals(asked.rows("lead", within), *figures, Count("pk", filter=opened & BACKWARDS))

    rest = iter(asked.fetch(build, "lead", within)[0])
    counts, earlier, median, late = (list(islice(rest, length)) for length in (4, 4, 3, 3))
    return FunnelFigures(counts, earlier, median, late, next(rest))


def funnel(asked: DashboardQuery) -> Content:
    """Return the four steps vs. the prior period, and broken down by a field."""
    found = _found(asked)
    lines = [_line(asked, n, found) for n in range(len(STEPS))]
    headings = [gettext("Step"), gettext("Leads"), gettext("Conversion rate")]
    headings += [gettext("Median"), gettext("75th percentile")]
    steps = Table("steps", "", headings, barred(lines), bars=True)
    backwards = [_backwards(asked)] if found.backwards else []
    return Content([steps, _split(asked), *backwards], sub=f"{MODES[asked.mode]} · {asked.period}")


def _line(asked: DashboardQuery, n: int, found: FunnelFigures) -> tuple[Cell, Sequence[Cell], float, str]:
    step, count = STEPS[n], found.counts[n]
    counted = asked.count("lead", condition(step, asked.mode, asked.period), count)
    if n == 0:
        gone = Cell("", note=_change(count, found.before[0]))
        return Cell(step.label, counted.url), (counted, gone, Cell(""), Cell("")), count, step.tone
    share, earlier = rate(count, found.counts[n - 1]), rate(found.before[n], found.before[n - 1])
    median, late = found.median[n - 1], found.late[n - 1]
    cells = (
        counted,
        Cell(share.text, value=share.value, note=_points(share, earlier)),
        Cell(days(median), value=_days(median)),
        Cell(days(late), value=_days(late)),
    )
    return Cell(step.label, counted.url), cells, count, step.tone


def _days(span: timedelta | None) -> float | str:
    return "" if span is None else round(span.total_seconds() / 86400, 2)


def rate(part: int, whole: int) -> Cell:
    """Return a percentage, or a note if there are few."""
    if whole < FEW:
        return Cell(gettext("n/a (too few)") if whole else "—")
    return Cell(formats.percent(part / whole), value=round(100 * part / whole, 1))


def _points(now: Cell, before: Cell) -> str:
    """Return the difference to the prior period's percentage, in points."""
    if now.value is None or before.value is None:
        return ""
    gap = now.value - before.value
    return gettext("{change} pp").format(change=_signed(gap, formats.number(abs(gap), 1)))


def _change(now: int, before: int) -> str:
    if before < FEW:
        return ""
    gap = (now - before) / before
    text = gettext("{change} vs. {number} in prior period")
    return text.format(change=_signed(gap, formats.percent(abs(gap), 0)), number=formats.number(before))


def _signed(gap: float, shown: str) -> str:
    return f"{'+' if gap > 0 else '−' if gap < 0 else '±'}{shown}"


def _split(asked: DashboardQuery) -> Table:
    """Return the breakdown by a field: the largest groups, in one statement."""
    key = asked.split
    if key not in dict(offered("lead")):
        sentence = gettext("Leads can’t be broken down by “{key}”. Choose another field.").format(key=key)
        return Table("split", gettext("Breakdown"), (gettext("Group"),), [], empty=sentence)
    split = split_by(asked, "lead", key)
    found = grouped(asked, "lead", key, _figures, _within(asked, asked.period))
    names = Names(split)
    headings = (split.path.label, *(step.label for step in STEPS), gettext("Lead to Customer"), gettext("Median"))
    rows = [_group(asked, split, names, *group) for group in found]
    return Table("split", gettext("Breakdown by {field}").format(field=split.path.label), headings, rows)


def _figures(asked: DashboardQuery) -> list[Any]:
    """Return a group's counts per step, and the median time of the whole funnel."""
    won = asked.test("lead", condition(STEPS[3], asked.mode, asked.period))
    forward = Q(GreaterThanOrEqual(won_at(), F("created_at")))
    return [*_counts(asked, asked.period), Percentile(WHOLE, 0.5, filter=won & forward)]


def _group(asked: DashboardQuery, split: GroupBy, names: Names, key: Any, shown: Any, *figures: Any) -> BarRow:
    here, (*counts, median) = split.condition(key), figures
    texts = [f"{here} and {condition(step, asked.mode, asked.period)}" for step in STEPS]
    cells = [asked.count("lead", text, count) for text, count in zip(texts, counts, strict=True)]
    cells += [rate(counts[3], counts[0]), Cell(days(median), value=_days(median))]
    return BarRow(Cell(split.label(key, shown, names)), cells)


def _backwards(asked: DashboardQuery) -> Table:
    """Return leads created in the period with dates out of order, excluded from times."""
    spans = {f"span{n}": step.span for n, step in enumerate(STEPS[1:], start=1)}
    rows = asked.rows("lead", condition(STEPS[0], "cohort", asked.period)).filter(BACKWARDS).annotate(**spans)
    found = rows.select_related("contact").order_by("-created_at", "-pk")[:OUT_OF_ORDER]
    lines = [BarRow(Cell(str(lead), lead.get_absolute_url()), _negative(lead)) for lead in found]
    headings = (gettext("Lead"), *(step.label for step in STEPS[1:]))
    return Table("order", gettext("Excluded from timing (dates out of order)"), headings, lines)


def _negative(lead: Any) -> list[Cell]:
    """Return the time of each step, where it is negative."""
    spans = [getattr(lead, f"span{n}") for n in range(1, len(STEPS))]
    return [Cell(days(span), value=_days(span)) if span and span < timedelta() else Cell("") for span in spans]


register(Part("funnel", _("Funnel"), funnel, width=7))
