"""The board of opportunities: a column per stage, with totals."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DecimalField, ExpressionWrapper, F, QuerySet, Sum
from django.urls import reverse

from crm.kit.actor import Actor
from crm.lifecycle.axes import Axis
from crm.lists.board import Board, CardMove, Column, Columns
from crm.lists.paging import Sort
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.entities import OPPORTUNITY
from crm.opportunities.models import Opportunity

WEIGHTED = ExpressionWrapper(F("amount") * F("probability"), DecimalField(max_digits=20, decimal_places=6))


@dataclass
class Total:
    """Amounts in one currency: total and weighted by probability."""

    currency: str
    amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)


def add_up(rows: QuerySet, axis: Axis, columns: Columns) -> None:
    """Count each column, and sum its amounts by currency, largest first."""
    groups = rows.order_by().values("stage", "currency")
    for group in groups.annotate(count=Count("pk"), total=Sum("amount"), weighted=Sum(WEIGHTED)):
        column = columns.get(group["stage"])
        if column:
            column.count += group["count"]
            if group["total"] is not None:
                column.totals.append(Total(group["currency"], group["total"], round(group["weighted"], 0)))
    for column in columns.values():
        column.totals.sort(key=lambda total: -total.amount)


def summary(columns: Iterable[Column]) -> list[Total]:
    """Return the totals of all open columns by currency."""
    sums: dict[str, Total] = {}
    for total in (total for column in columns if column.is_open for total in column.totals):
        into = sums.setdefault(total.currency, Total(total.currency))
        into.amount, into.weighted = into.amount + total.amount, into.weighted + total.weighted
    return sorted(sums.values(), key=lambda total: -total.amount)


def steps(opportunity: Opportunity, by: Actor) -> list[CardMove]:
    """Return every other stage, while the opportunity is open."""
    url = reverse("opportunity_move", args=[opportunity.public_id, "move_stage"])
    others = [choice for choice in STAGE.values if choice.value != opportunity.stage] if opportunity.is_open else []
    return [CardMove(c.value, f"{c.label}…" if c.value == "lost" else c.label, url) for c in others]


BOARD = Board(
    entity="opportunity",
    axis=STAGE,
    sort=Sort(OPPORTUNITY.fields["close_date"], descending=False),
    open_values=OPEN,
    related=("contact", "company", "owner__user"),
    steps=steps,
    card="opportunities/card.html",
    template="opportunities/board.html",
    add_up=add_up,
    summary=summary,
)
