"""Conversion of a lead: the page shows the proposed opportunity, a POST creates it."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.responses import show_errors, toast
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.opportunities.pipelines import choice, stage_for_converted
from crm.records.views.pages import find, rows_of
from crm.users.http import Request
from crm.users.visibility import may_edit, may_see
from leads.axes import STAGE
from leads.converting import proposal
from leads.forms import ConvertForm
from leads.models import Lead
from leads.pages import lead_offers
from leads.verbs.convert import convert

LOST = _("Lost leads can’t be converted. Reactivate the lead first.")


@require_http_methods(["GET", "POST"])
def convert_page(request: Request, public_id: str) -> HttpResponse:
    """Show the proposed opportunity, then create it; redirect if already converted."""
    lead = find(request, Lead, public_id)
    if lead.status == "converted":
        return redirect(_made(lead, request.actor))
    proposed = proposal(lead)
    form = ConvertForm(request.POST if request.method == "POST" else None, initial=proposed)
    if request.method == "POST" and form.is_valid():
        try:
            outcome = convert(rows_of(lead), by=request.actor, values=form.cleaned_data).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            lead.refresh_from_db()
            sentence = gettext("Converted to opportunity “{opportunity}”.").format(opportunity=lead.opportunity)
            toast(request, sentence, undo_url=_undo(outcome, request.actor))
            return redirect(_made(lead, request.actor))
    context = {"lead": lead, "form": form, "proposed": proposed, "stage": STAGE.value(lead.stage)}
    editable = may_edit(lead, request.actor) and lead.deleted_at is None
    found = lead_offers(lead, request.actor, editable=editable)
    context["why_not"] = next((offer.why_not for offer in found if offer.move.verb == "convert"), LOST)
    context["opens_at"] = choice(stage_for_converted())
    return render(request, "leads/convert.html", context, status=422 if form.errors else 200)


def _made(lead: Lead, by: Actor):
    """Return a converted lead's opportunity if visible to the actor, otherwise the lead."""
    return lead.opportunity if lead.opportunity and may_see(lead.opportunity, by) else lead


def _undo(outcome: Outcome, by: Actor) -> str:
    """Return the undo URL of a conversion, for managers only (DESIGN 1.2)."""
    return reverse("undo", args=[outcome.change]) if by.is_at_least(Role.MANAGER) else ""
