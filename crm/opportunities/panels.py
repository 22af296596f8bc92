"""The panel of opportunities on the page of their contact and of their company: the open ones, then the closed."""

from functools import partial
from typing import Any

from django.db.models import Case, F, IntegerField, When
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from crm.kit.actor import Role
from crm.lists.panels import register
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.models import Opportunity
from crm.users.http import Request

SHOWN = 10
IS_CLOSED = Case(When(stage__in=OPEN, then=0), default=1, output_field=IntegerField())
# The next to close before the others; then the closed ones, the latest first.
ORDER = (IS_CLOSED, Case(When(stage__in=OPEN, then=F("close_date"))).asc(nulls_last=True), "-stage_since", "pk")


def panel(entity: str, record: Any, request: Request) -> SafeString:
    """Beside a contact or company: what is in progress with them, what was won and lost, and the way to open more."""
    found = Opportunity.objects.live().visible_to(request.actor).filter(**{entity: record})
    rows = [(row, STAGE.value(row.stage)) for row in found.order_by(*ORDER)[: SHOWN + 1]]
    context = {"rows": rows[:SHOWN], "more": len(rows) > SHOWN, "record": record, "entity": entity}
    context["may_add"] = request.actor.is_at_least(Role.REP) and entity == "contact" and record.deleted_at is None
    return render_to_string("opportunities/panel.html", context)


register("contact", partial(panel, "contact"))
register("company", partial(panel, "company"))
