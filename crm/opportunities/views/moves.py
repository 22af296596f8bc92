"""Moves between stages: one page asks what the verb needs, one POST makes the move."""

from collections.abc import Callable

from django import forms
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from contacts.models import Contact
from contacts.views.records import rows_of
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.responses import back, show_errors, toast
from crm.opportunities.axes import STAGE
from crm.opportunities.forms import LoseForm, MoveForm, ReopenForm
from crm.opportunities.models import Opportunity
from crm.opportunities.moves import VERB_TO
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.reopen import reopen
from crm.opportunities.verbs.win import win
from crm.opportunities.views.records import find_opportunity
from crm.users.http import Request

VERBS: dict[str, Callable[..., Outcome]] = {"move_stage": move_stage, "win": win, "lose": lose, "reopen": reopen}


@require_http_methods(["GET", "POST"])
def move(request: Request, public_id: str, verb: str) -> HttpResponse:
    """Move, win, lose or reopen one opportunity. Where a board says only where to, the stage names the verb."""
    opportunity = find_opportunity(request, public_id)
    meant = VERB_TO.get(request.POST.get("to", ""), verb) if verb == "move_stage" else verb
    if meant not in VERBS:
        raise Http404
    answered = request.method == "POST" and (meant == verb or meant == "win")  # losing asks first
    form = _form(meant, opportunity, request, answered)
    if answered and form.is_valid():
        try:
            outcome = VERBS[meant](rows_of(opportunity), by=request.actor, **form.cleaned_data).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            return _moved(request, opportunity, outcome)
    context = {"opportunity": opportunity, "verb": meant, "step": STAGE.move(meant), "form": form}
    context |= {"stage": STAGE.value(opportunity.stage), "next": request.POST.get("next", "")}
    context["target"] = STAGE.value(STAGE.move(meant).target) if STAGE.move(meant).target else None
    return render(request, "opportunities/move.html", context, status=422 if form.errors else 200)


def _form(verb: str, opportunity: Opportunity, request: Request, answered: bool) -> forms.Form:
    data = request.POST if answered else None
    if verb == "lose":
        return LoseForm(data, contact=_left_with_none(opportunity, request.actor), by=request.actor)
    return {"move_stage": MoveForm, "reopen": ReopenForm, "win": forms.Form}[verb](data)


def _left_with_none(opportunity: Opportunity, by: Actor) -> Contact | None:
    """The contact, when this is their only open opportunity and the actor sees them."""
    others = Opportunity.objects.open().filter(contact=OuterRef("pk")).exclude(pk=opportunity.pk)
    seen = Contact.objects.live().visible_to(by)
    return seen.filter(~Exists(others), pk=opportunity.contact_id).first()


def _moved(request: Request, opportunity: Opportunity, outcome: Outcome) -> HttpResponse:
    opportunity.refresh_from_db()
    name = STAGE.value(opportunity.stage).label
    toast(request, f"{opportunity} is {name} now.", undo_url=reverse("undo", args=[outcome.change]))
    return redirect(back(request) if request.POST.get("next") else opportunity)
