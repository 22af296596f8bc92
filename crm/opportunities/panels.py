"""The panel of opportunities on the page of their contact and of their company: the open ones, then the closed."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, IntegerField, OuterRef, QuerySet, When
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from audit.values import from_json, model_field
from crm.kit.actor import Actor, Role
from crm.kit.sql import JsonPairs
from crm.lists.panels import register
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.models import Opportunity
from crm.users.http import Request

SHOWN = 10
COLUMNS = ("public_id", "name", "stage", "amount", "currency", "close_date", "won_at", "lost_at")


def _rows(link: str) -> Callable[[Actor], QuerySet]:
    """The opportunities of the record at the other end of `link` that somebody sees.

    The open ones come first, the next to close before the others; then the closed ones, the latest first.
    """

    def rows(by: Actor) -> QuerySet:
        found = Opportunity.objects.live().visible_to(by).filter(**{link: OuterRef("pk")})
        pairs = {name: (model_field(Opportunity, name), F(name)) for name in COLUMNS}
        is_closed = Case(When(stage__in=OPEN, then=0), default=1, output_field=IntegerField())
        soonest = Case(When(stage__in=OPEN, then=F("close_date"))).asc(nulls_last=True)
        found = found.order_by(is_closed, soonest, "-stage_since", "pk")
        return found.values(fact=JsonPairs(**pairs))[: SHOWN + 1]

    return rows


def panel(record: Any, request: Request) -> SafeString:
    """Beside a contact or company: what is in progress with them, what was won and lost, and the way to open more."""
    rows = [_shown(row) for row in record.opportunity_rows or ()]
    entity = record._meta.model_name
    context = {"rows": rows[:SHOWN], "more": len(rows) > SHOWN, "record": record, "entity": entity}
    context["may_add"] = request.actor.is_at_least(Role.REP) and entity == "contact" and record.deleted_at is None
    return render_to_string("opportunities/panel.html", context)


def _shown(row: dict) -> dict:
    typed: dict[str, Any] = {"stage": STAGE.value(row["stage"]), "is_open": row["stage"] in OPEN}
    typed["amount"] = None if row["amount"] is None else Decimal(row["amount"])
    typed["close_date"] = row["close_date"] and date.fromisoformat(row["close_date"])
    typed["closed_at"] = from_json(Opportunity, "won_at", row["won_at"] or row["lost_at"])
    return row | typed


register("contact", panel, opportunity_rows=_rows("contact"))
register("company", panel, opportunity_rows=_rows("company"))
