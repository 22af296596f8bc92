"""Losses of leads and opportunities, by stage and reason."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Func, IntegerField, Window

from crm.dashboards.groups import Names, grouped, split_by
from crm.dashboards.query import DashboardQuery
from crm.dashboards.tables import Cell, Content, Part, Table, barred, register
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _


def losses(asked: DashboardQuery) -> Content:
    """Return the period's losses by stage and reason."""
    lost = f"status = lost and {asked.period.of('lost_date')}"  # not a text
    deals = f"stage_kind = lost and {asked.period.of('lost_at')}"  # not a text
    where = {
        gettext("Before qualification"): f"{lost} and qualified_date is empty",  # not a text
        gettext("Qualified, no opportunity"): f"{lost} and qualified_date is not empty",  # not a text
    }
    leads = grouped(asked, "lead", "lost_reason", _of_leads, lost)
    opportunities = grouped(asked, "opportunity", "lost_reason", _of_deals, deals)
    *_group, all_leads, qualified = leads[0] if leads else (0, 0)
    counts = (all_leads - qualified, qualified)
    lines = [_line(asked, "lead", *each, count) for each, count in zip(where.items(), counts, strict=True)]
    deals_lost = opportunities[0][-1] if opportunities else 0
    lines.append(_line(asked, "opportunity", gettext("At opportunity"), deals, deals_lost))
    steps = Table("steps", "", (gettext("Lost at"), gettext("Lost")), barred(lines), bars=True)
    return Content(
        [
            steps,
            _reasons(asked, "lead", lost, gettext("Lead lost reasons"), leads),
            _reasons(asked, "opportunity", deals, gettext("Opportunity lost reasons"), opportunities),
        ],
        sub=str(asked.period),
    )


class _OfAll(Func):
    """A figure's sum over all groups, including those too small to show."""

    function = "SUM"
    window_compatible = True
    output_field = IntegerField()


def _of_deals(asked: DashboardQuery) -> list[Any]:
    return [Count("pk"), Window(_OfAll(Count("pk")))]


def _of_leads(asked: DashboardQuery) -> list[Any]:
    """Return the same, plus how many of all groups had been qualified."""
    return [*_of_deals(asked), Window(_OfAll(Count("qualified_date")))]


def _line(asked: DashboardQuery, entity: str, label: str, text: str, count: int) -> tuple:
    cell = asked.count(entity, text, count)
    return Cell(label, cell.url), (cell,), count, "red"


def _reasons(asked: DashboardQuery, entity: str, lost: str, title: str, found: Sequence[tuple]) -> Table:
    split = split_by(asked, entity, "lost_reason")
    names, lines = Names(split), []
    for key, shown, count, *_all in found:
        label = split.label(key, shown, names) if key else gettext("No reason")
        lines.append(_line(asked, entity, label[:80], f"{lost} and {split.condition(key)}", count))
    return Table(f"{entity}_reasons", title, (gettext("Reason"), gettext("Lost")), barred(lines), bars=True)


register(Part("losses", _("Losses and reasons"), losses, width=6))
