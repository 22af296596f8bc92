"""Per member: first-contact time, open leads and opportunities, and won ones."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from crm.dashboards.groups import Names, grouped, split_by
from crm.dashboards.parts.funnel import rate
from crm.dashboards.percentile import Percentile, days
from crm.dashboards.query import DashboardQuery, any_of
from crm.dashboards.tables import BarRow, Cell, Content, Part, Table, register
from crm.kit.actor import Role
from crm.kit.translation import gettext, pgettext
from crm.kit.translation import gettext_lazy as _
from leads.axes import OPEN

IN_HAND = any_of("status", OPEN)


HEADINGS = (
    _("Owner"),
    _("Open leads"),
    _("New leads"),
    _("Within SLA"),
    _("SLA breached"),
    _("SLA met %"),
    _("Median response time"),
    _("Converted"),
    _("Conversion rate"),
)


def team(asked: DashboardQuery) -> Content:
    """Return all members' figures for managers, only their own for others."""
    whose = "" if asked.by.is_at_least(Role.MANAGER) else "owner = me"
    split = split_by(asked, "lead", "owner")
    names = Names(split)
    opened = asked.period.of("created_at")
    won = f"stage_kind = won and {asked.period.of('won_at')}"  # not a text
    texts = {
        "in_hand": IN_HAND,
        "opened": opened,
        "in_time": f"{opened} and first_contact_in_time = yes",  # not a text
        "late": f"{opened} and first_contact_in_time = no",  # not a text
        "converted": f"{opened} and converted_date is not empty",  # not a text
    }

    def figures(asked: DashboardQuery) -> list[Any]:
        counts = [Count("pk", filter=asked.test("lead", text)) for text in texts.values()]
        return [*counts, Percentile(F("contacted_at") - F("created_at"), 0.5, filter=asked.test("lead", opened))]

    also = filter(None, (whose, f"({IN_HAND}) or ({opened})"))  # not a text
    found = grouped(asked, "lead", "owner", figures, *also)
    lines = [_line(asked, split, names, group, texts) for group in found]
    people = Table("people", gettext("Leads"), HEADINGS, lines, empty=gettext("No leads in this period."))
    return Content([people, _won(asked, names, won, whose)], sub=str(asked.period))


def _line(asked: DashboardQuery, split: Any, names: Names, found: tuple, texts: dict[str, str]) -> BarRow:
    owner, shown, *counts, response = found
    here, group = split.condition(owner), dict(zip(texts, counts, strict=True))
    cell = {key: asked.count("lead", f"{here} and {text}", group[key]) for key, text in texts.items()}
    cells: Sequence[Cell] = (
        cell["in_hand"],
        cell["opened"],
        cell["in_time"],
        cell["late"],
        rate(group["in_time"], group["in_time"] + group["late"]),
        Cell(days(response)),
        cell["converted"],
        rate(group["converted"], group["opened"]),
    )
    return BarRow(Cell(split.label(owner, shown, names)), cells)


def _won(asked: DashboardQuery, names: Names, won: str, whose: str) -> Table:
    also = [text for text in (whose, won) if text]

    def build(asked: DashboardQuery) -> QuerySet:
        rows = asked.rows("opportunity", *also).order_by().values_list("owner_id", "currency")
        return rows.annotate(count=Count("pk"), total=Sum("amount")).order_by("-total", "owner_id")

    split = split_by(asked, "opportunity", "owner")
    lines = []
    for owner, currency, count, total in asked.fetch(build, "opportunity", *also):
        text = f'{split.condition(owner)} and {won} and currency = "{currency}"'  # not a text
        cells = (
            asked.count("opportunity", text, count),
            asked.amount("opportunity", text, total, currency),
        )
        lines.append(BarRow(Cell(split.label(owner, None, names)), cells))
    headings = (gettext("Owner"), gettext("Opportunities"), gettext("Amount"))
    return Table("won", pgettext("opportunity", "Won"), headings, lines, empty=gettext("No wins in this period."))


register(Part("team", _("Team"), team, width=12))
