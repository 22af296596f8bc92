"""The panel on a contact's page: the open lead, what can be done with it, and the cycles before."""

from typing import Any

from django.db.models import Case, Value, When
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from crm.lists.panels import register
from crm.users.http import Request
from crm.users.visibility import may_edit
from leads.axes import OPEN
from leads.models import Lead
from leads.open_leads import PROSPECTS
from leads.page import lead_context, lead_offers

SHOWN = 10
OPEN_FIRST = Case(When(status__in=OPEN, then=Value(0)), default=Value(1))


def panel(contact: Any, request: Request) -> SafeString:
    """Where the contact's open lead stands, and what can be done about it; without one, the way to open it."""
    by = request.actor
    found = Lead.objects.live().visible_to(by).filter(contact=contact).select_related("score")
    leads = list(found.order_by(OPEN_FIRST, "-created_at", "-pk")[:SHOWN])
    context: dict[str, Any] = {"contact": contact, "cycles": [lead_context(lead) for lead in leads]}
    if leads and leads[0].is_open:
        editable = may_edit(leads[0], by) and contact.deleted_at is None
        context |= context["cycles"].pop(0) | {"offers": lead_offers(leads[0], by, editable=editable)}
        context["editable"] = editable
    may = may_edit(contact, by) and contact.deleted_at is None and contact.lifecycle_stage in PROSPECTS
    return render_to_string("leads/panel.html", context | {"may_open": may}, request)


def origin(opportunity: Any, request: Request) -> SafeString:
    """The way from an opportunity to its lead, for those who see it; nothing for one that came without."""
    lead = Lead.objects.live().visible_to(request.actor).filter(opportunity=opportunity).first()
    return render_to_string("leads/origin.html", {"lead": lead}, request) if lead else SafeString()


register("contact", panel)
register("opportunity", origin)
