"""The board of opportunities: a column per stage, with totals."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DecimalField, ExpressionWrapper, F, QuerySet, Sum
from django.urls import reverse

from crm.entities.fields import Choice
from crm.kit.actor import Actor
from crm.lifecycle.axes import Axis
from crm.lists.board import Board, CardMove, Column, Columns
from crm.lists.paging import Sort
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.entities import OPPORTUNITY
from crm.opportunities.models import Opportunity, StageKind
from crm.opportunities.pipelines import name_of, pipelines, stage

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
    here = STAGE.value(opportunity.stage)
    others = [each for each in STAGE.values if each.group == here.group and each.value != here.value]
    return [CardMove(each.value, _label(each), url) for each in others] if opportunity.is_open else []


def _label(to: Choice) -> str:
    """Return a stage's label; with … for lost ones, which ask for a reason."""
    return f"{to.label}…" if stage(to.value).kind == StageKind.LOST else str(to.label)


def groups() -> list[Choice]:
    """Return the pipelines, one board each."""
    return [Choice(pipeline.key, name_of(pipeline)) for pipeline in pipelines()]


BOARD = Board(
    entity="opportunity",
    axis=STAGE,
    sort=Sort(OPPORTUNITY.fields["close_date"], descending=False),
    open_values=OPEN,
    related=("contact", "company", "owner__user"),
    steps=steps,
    groups=groups,
    card="opportunities/card.html",
    template="opportunities/board.html",
    add_up=add_up,
    summary=summary,
)
