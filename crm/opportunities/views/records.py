"""The page of one opportunity."""

from typing import cast

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from contacts.forms import editable_fields
from contacts.models import Contact
from contacts.views.facts import fact
from contacts.views.records import common, find, readonly
from crm.kit.actor import Actor
from crm.lifecycle.offers import offers
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.models import Opportunity
from crm.opportunities.timeline import of_opportunity
from crm.users.http import Request
from crm.users.visibility import may_edit


def find_opportunity(request: Request, public_id: str) -> Opportunity:
    """The opportunity called `public_id` that the actor sees. Raises Http404."""
    return cast(Opportunity, find(request, "opportunity", public_id))


@require_GET
def opportunity_page(request: Request, public_id: str) -> HttpResponse:
    """One opportunity: what is next, what can be done now, facts, what happened."""
    opportunity, by = find_opportunity(request, public_id), request.actor
    editable = may_edit(opportunity, by) and opportunity.deleted_at is None
    items, tasks, more = of_opportunity(opportunity, by)
    context = common(request, "opportunity", opportunity, editable, items, tasks, more)
    # The record itself names its contact to everybody; more than the name is for those who see the contact.
    context["contact"] = Contact.objects.visible_to(by).filter(pk=opportunity.contact_id).first()
    return render(request, "opportunities/opportunity.html", context | _head(opportunity, by, editable=editable))


def _head(opportunity: Opportunity, by: Actor, *, editable: bool) -> dict:
    """Where it stands, and what can be done now; the moves between open stages stand apart, as steps."""
    found = offers(opportunity, STAGE, by=by, editable=editable)
    [next_step] = [field for field in editable_fields("opportunity") if field.key == "next_step"]
    return {
        "stage": STAGE.value(opportunity.stage),
        "steps": [STAGE.value(value) for value in OPEN],
        "step": next((offer for offer in found if offer.move.verb == "move_stage"), None),
        "offers": [offer for offer in found if offer.move.verb != "move_stage"],
        "move_url": "opportunity_move",
        "next_step": fact(opportunity, next_step),
        "may_reopen": any(offer.move.verb == "reopen" for offer in found),
        "readonly": readonly(opportunity, by),
    }
