"""Score health: distribution, predictive power, and leads that cannot qualify."""

import math
from collections import Counter

from django.db.models import Count, QuerySet

from crm.dashboards.parts.funnel import rate
from crm.dashboards.query import DashboardQuery, any_of
from crm.dashboards.tables import BarRow, Cell, Content, Part, Table, register
from crm.kit import formats
from crm.kit.actor import Role
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from leads.axes import OPEN
from leads.scoring.current import current
from leads.scoring.workbench import separation

WIDTH, CLASSES = 10, 10  # points per class, and number of classes; the last includes 100
IN_PROGRESS = any_of("status", OPEN)
IS_WON = "status = converted and opportunity.stage_kind = won"  # not a text
IS_LOST = "(status = lost or (status = converted and opportunity.stage_kind = lost))"  # not a text
ENDS = {"open": IN_PROGRESS, "won": IS_WON, "lost": IS_LOST}


def scores(asked: DashboardQuery) -> Content:
    """Return leads by score: open ones, and closed ones with their win rate."""
    stuck = cannot()
    counts, low = _counts(asked, stuck)
    most = max(counts[index, "open"] for index in range(CLASSES)) or 1
    rows = [_row(asked, index, counts, most) for index in range(CLASSES)]
    headings = [gettext("Score"), gettext("Open leads"), gettext("Won"), gettext("Lost"), gettext("Win rate")]
    table = Table("classes", "", headings, rows, bars=True)
    words = gettext("Open leads whose fit is too low for Sales Qualified at any engagement")
    line = BarRow(Cell(words), [asked.count("lead", stuck, low)])
    title, headings = gettext("Can’t reach Sales Qualified"), [gettext("Issue"), gettext("Leads")]
    return Content([table, Table("cannot", title, headings, [line])], sub=gettext("Now"), note=_foretells(asked))


def _counts(asked: DashboardQuery, stuck: str) -> tuple[Counter, int]:
    """Return the number of leads per (score class, closed), and of `stuck` ones; one statement."""
    classes = {place: within(place) for place in range(CLASSES)}

    def build(asked: DashboardQuery) -> QuerySet:
        keys = [asked.first("lead", texts) for texts in (classes, ENDS, {1: stuck})]
        rows = asked.rows("lead").order_by().annotate(place=keys[0], end=keys[1], low=keys[2])
        return rows.values_list("place", "end", "low").annotate(count=Count("pk"))

    counts, low = Counter[tuple[int | None, str | None]](), 0
    for place, end, is_low, count in asked.fetch(build, "lead", stuck):
        counts[place, end] += count
        low += count if is_low else 0
    return counts, low


def within(place: int) -> str:
    low = f"qualification_score >= {place * WIDTH}"
    return low if place == CLASSES - 1 else f"{low} and qualification_score < {(place + 1) * WIDTH}"  # not a text


def cannot() -> str:
    """Return the condition of open leads that no engagement takes to Sales Qualified, by the active model."""
    rules = current().rules
    needed = (
        math.ceil((rules.thresholds[-1] - 100 * rules.engagement_weight) / rules.fit_weight) if rules.fit_weight else 0
    )
    return f"{IN_PROGRESS} and fit_score < {max(needed, 0)}"  # not a text


def _row(asked: DashboardQuery, place: int, counts: Counter, most: int) -> BarRow:
    open_, won, lost = (
        asked.count("lead", f"{within(place)} and {text}", counts[place, end]) for end, text in ENDS.items()
    )
    share = rate(counts[place, "won"], counts[place, "won"] + counts[place, "lost"])
    label = f"{place * WIDTH}–{place * WIDTH + WIDTH - 1 if place < CLASSES - 1 else 100}"
    return BarRow(
        Cell(label, open_.url), (open_, won, lost, share), round(100 * counts[place, "open"] / most, 2), "violet"
    )


def _foretells(asked: DashboardQuery) -> str:
    """Return how well final scores separate won from lost leads, workspace-wide and so for managers."""
    if not asked.by.is_at_least(Role.MANAGER):
        return ""
    known = separation(current())
    if known.auc is None:
        text = gettext("Not enough closed leads yet: {won} won, {lost} lost.")
        return text.format(won=formats.number(known.won), lost=formats.number(known.lost))
    text = gettext(
        "Won leads outscored lost leads in {percent} of comparisons ({chance} = random). "
        "Top-decile leads win {times}× as often. Not affected by filters."
    )
    times = formats.number(known.lift or 0, 1)
    return text.format(percent=formats.percent(known.auc, 0), chance=formats.percent(0.5), times=times)


register(Part("scores", _("Score health"), scores, width=6))
