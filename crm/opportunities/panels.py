"""The panel of open opportunities on the page of their contact and of their company."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from audit.values import model_field
from crm.kit.actor import Actor, Role
from crm.kit.sql import JsonPairs
from crm.lists.panels import register
from crm.opportunities.axes import STAGE
from crm.opportunities.models import Opportunity
from crm.users.http import Request

SHOWN = 10
COLUMNS = ("public_id", "name", "stage", "amount", "currency", "close_date")


def _rows(link: str) -> Callable[[Actor], QuerySet]:
    """The open opportunities of the record at the other end of `link` that somebody sees, first to close first."""

    def rows(by: Actor) -> QuerySet:
        found = Opportunity.objects.open().visible_to(by).filter(**{link: OuterRef("pk")})
        pairs = {name: (model_field(Opportunity, name), F(name)) for name in COLUMNS}
        soonest = F("close_date").asc(nulls_last=True)
        return found.order_by(soonest, "pk").values(fact=JsonPairs(**pairs))[: SHOWN + 1]

    return rows


def panel(record: Any, request: Request) -> SafeString:
    """Beside a contact or company: what is in progress with them, and the way to open more."""
    rows = [_shown(row) for row in record.open_opportunities or ()]
    entity = record._meta.model_name
    context = {"rows": rows[:SHOWN], "more": len(rows) > SHOWN, "record": record, "entity": entity}
    context["may_add"] = request.actor.is_at_least(Role.REP) and entity == "contact" and record.deleted_at is None
    return render_to_string("opportunities/panel.html", context)


def _shown(row: dict) -> dict:
    typed: dict[str, Any] = {"stage": STAGE.value(row["stage"])}
    typed["amount"] = None if row["amount"] is None else Decimal(row["amount"])
    typed["close_date"] = row["close_date"] and date.fromisoformat(row["close_date"])
    return row | typed


register("contact", panel, open_opportunities=_rows("contact"))
register("company", panel, open_opportunities=_rows("company"))
