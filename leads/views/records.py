"""The page of one lead."""

from typing import cast

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from contacts.models import Contact
from contacts.views.records import common, find, readonly
from crm.opportunities.models import Opportunity
from crm.users.http import Request
from crm.users.visibility import may_edit
from leads.models import Lead
from leads.page import lead_context, lead_offers
from leads.timeline import of_lead


def find_lead(request: Request, public_id: str) -> Lead:
    """The lead called `public_id` that the actor sees. Raises Http404."""
    return cast(Lead, find(request, "lead", public_id))


@require_GET
def lead_page(request: Request, public_id: str) -> HttpResponse:
    """One lead: where it stands and what is next, what can be done now, facts, what happened."""
    lead, by = find_lead(request, public_id), request.actor
    editable = may_edit(lead, by) and lead.deleted_at is None
    items, tasks, more = of_lead(lead, by)
    # Nobody changes a converted one, but its timeline is the contact's too, and goes on.
    context = common(request, "lead", lead, editable and lead.status != "converted", items, tasks, more)
    context |= lead_context(lead) | {
        "offers": lead_offers(lead, by, editable=editable),
        "readonly": _readonly(lead, by),
    }
    context["contact"] = Contact.objects.visible_to(by).filter(pk=lead.contact_id).first()
    seen = Opportunity.objects.live().visible_to(by).filter(pk=lead.opportunity_id) if lead.opportunity_id else ()
    context["opportunity"] = next(iter(seen), None)
    return render(request, "leads/lead.html", context)


def _readonly(lead: Lead, by) -> str:
    return "A converted lead does not change any more." if lead.status == "converted" else readonly(lead, by)
