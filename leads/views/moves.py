"""Moves of a lead: one page asks what the verb needs, one POST makes the move."""

from collections.abc import Callable

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from contacts.views.records import rows_of
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.responses import back, show_errors, toast
from crm.opportunities.axes import STAGE as STAGES_OF_OPPORTUNITIES
from crm.users.http import Request
from crm.users.visibility import may_edit, may_see
from leads.axes import STAGE, STATUS
from leads.converting import proposal
from leads.forms import ConvertForm, QualifyForm, move_form
from leads.models import Lead
from leads.page import lead_offers
from leads.verbs.convert import convert
from leads.verbs.first_contact import first_contact
from leads.verbs.lose import lose
from leads.verbs.qualify import qualify
from leads.verbs.reactivate import reactivate
from leads.views.records import find_lead

VERBS: dict[str, Callable[..., Outcome]] = {
    "first_contact": first_contact,
    "qualify": qualify,
    "lose": lose,
    "reactivate": reactivate,
}
LOST = "A lost lead is not converted: reactivate it first."


@require_http_methods(["GET", "POST"])
def move(request: Request, public_id: str, verb: str) -> HttpResponse:
    """Make the first contact with, qualify by hand, lose or reactivate one lead."""
    lead = find_lead(request, public_id)
    if verb not in VERBS:
        raise Http404
    axis = STAGE if verb == "qualify" else STATUS
    home = lead.contact if "contact" in (request.GET.get("from"), request.POST.get("from")) else lead
    data = request.POST if request.method == "POST" else None
    form = QualifyForm(data, lead=lead) if verb == "qualify" else move_form(verb)(data)
    if data is not None and form.is_valid():
        try:
            outcome = VERBS[verb](rows_of(lead), by=request.actor, **form.cleaned_data).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            lead.refresh_from_db()
            standing = f"{STATUS.value(lead.status).label}, {STAGE.value(lead.stage).label}"
            toast(request, f"The lead of {lead} is {standing} now.", undo_url=reverse("undo", args=[outcome.change]))
            return redirect(back(request) if request.POST.get("next") else home)
    step, here = axis.move(verb), axis.value(getattr(lead, axis.field))
    context = {"lead": lead, "verb": verb, "step": step, "form": form, "here": here, "home": home}
    context["next"] = request.POST.get("next") or request.GET.get("next", "")
    context["target"] = axis.value(step.target) if step.target else None
    return render(request, "leads/move.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def convert_page(request: Request, public_id: str) -> HttpResponse:
    """Show the opportunity that a lead will become, then make it; what is made already is gone to."""
    lead = find_lead(request, public_id)
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
            toast(request, f"{lead} is converted: {lead.opportunity}.", undo_url=_undo(outcome, request.actor))
            return redirect(_made(lead, request.actor))
    context = {"lead": lead, "form": form, "proposed": proposed, "stage": STAGE.value(lead.stage)}
    editable = may_edit(lead, request.actor) and lead.deleted_at is None
    found = lead_offers(lead, request.actor, editable=editable)
    context["why_not"] = next((offer.why_not for offer in found if offer.move.verb == "convert"), LOST)
    context["opens_at"] = STAGES_OF_OPPORTUNITIES.value("qualification")
    return render(request, "leads/convert.html", context, status=422 if form.errors else 200)


def _made(lead: Lead, by: Actor):
    """The opportunity of a converted lead, where the actor sees it."""
    return lead.opportunity if lead.opportunity and may_see(lead.opportunity, by) else lead


def _undo(outcome: Outcome, by: Actor) -> str:
    """Where a conversion is taken back: by managers only (DESIGN 1.2)."""
    return reverse("undo", args=[outcome.change]) if by.is_at_least(Role.MANAGER) else ""
