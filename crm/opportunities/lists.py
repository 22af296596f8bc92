"""The list of opportunities: columns, views, quick filters and bulk actions."""

from datetime import date, timedelta
from functools import partial

import django_filters

from crm.entities.forms import form_choices
from crm.entities.values import zone
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.nav import COUNT_LIMIT, NavItem
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy
from crm.lists.filters import QuickFilters, many
from crm.lists.spec import BulkAction, ListSpec, View
from crm.opportunities.axes import STAGE
from crm.opportunities.entities import PIPELINES
from crm.opportunities.forms import stage_form
from crm.opportunities.models import Opportunity, StageKind
from crm.opportunities.moves import move_to
from crm.records.actions import WAIT, record_actions


def month(day: date, later: int = 0) -> tuple[date, date]:
    first, after = (_first(day, later + more) for more in (0, 1))
    return first, after


def _first(day: date, later: int) -> date:
    years, month0 = divmod(day.month - 1 + later, 12)
    return date(day.year + years, month0 + 1, 1)


class ClosingFilter(django_filters.ChoiceFilter):
    """Filter by close date, in the workspace's calendar."""

    def __init__(self, **kwargs):
        choices = [("overdue", _("Overdue")), ("month", _("This month")), ("next", _("Next month"))]
        super().__init__(choices=choices, empty_label=_("Any time"), label=_("Close date"), **kwargs)

    def filter(self, rows, value):
        today = clock.now().astimezone(zone()).date()
        if value == "overdue":
            return rows.filter(close_date__lt=today, stage_kind=StageKind.OPEN)
        if value:
            first, after = month(today, 1 if value == "next" else 0)
            return rows.filter(close_date__range=(first, after - timedelta(days=1)))
        return rows


class OpportunityFilters(QuickFilters):
    """Filters of opportunities: owner, pipeline, stage, close date."""

    pipeline = many(_("Pipeline"), partial(form_choices, PIPELINES))
    stage = many(_("Stage"), partial(form_choices, STAGE.values))
    closing = ClosingFilter()

    class Meta:
        model = Opportunity
        fields: list[str] = []

    def __init__(self, data, queryset, by: Actor):
        super().__init__(data, queryset, by)
        if len(PIPELINES) < 2:
            del self.filters["pipeline"]


def _move(rows, values: dict, by: Actor) -> Outcome:
    return move_to(rows, by=by, **values)


IS_OPEN = "stage_kind = open"  # not a text

OPPORTUNITIES = ListSpec(
    entity="opportunity",
    columns=("name", "stage", "amount", "contact", "company", "close_date", "next_step", "owner"),
    sort="close_date",
    views=(
        View("open", pgettext_lazy("state", "Open"), IS_OPEN),
        View("my_open", _("My open"), f"{IS_OPEN} and owner = me"),  # not a text
        View("closing", _("Closing in 30 days"), f"{IS_OPEN} and close_date <= 30 days from now"),  # not a text
        View(
            "won",
            pgettext_lazy("opportunity", "Won"),
            "stage_kind = won",  # not a text
            ("name", "amount", "contact", "company", "won_at", "source", "owner"),
            "-won_at",
        ),
        View(
            "lost",
            pgettext_lazy("opportunity", "Lost"),
            "stage_kind = lost",  # not a text
            ("name", "amount", "lost_reason", "contact", "company", "lost_at", "owner"),
            "-lost_at",
        ),
        View("all", _("All")),
    ),
    actions=record_actions(
        "opportunity",
        BulkAction("stage", _("Change stage"), "arrow-right-left", _move, stage_form, _("Moved")),
        WAIT,
    ),
    filterset=OpportunityFilters,
    icon="circle-dollar-sign",
    indexed=frozenset({"stage", "stage_kind", "owner", "team", "close_date"}),
    search_hint=_("Name, contact or company"),
)


def my_open(by: Actor):
    """Return the member's open opportunities, for the sidebar count."""
    return Opportunity.objects.open().filter(owner=by.member_id).order_by().values("pk")[:COUNT_LIMIT]


NAV = (NavItem(_("Opportunities"), "opportunity_list", "circle-dollar-sign", 40, count=my_open, key="p"),)
