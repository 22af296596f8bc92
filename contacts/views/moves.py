"""Moves along the lifecycle: one page asks for the reason, one POST makes the move through its verb."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from contacts.axes import LIFECYCLE
from contacts.forms import OverrideForm, ReasonForm
from contacts.moves import VERBS
from contacts.verbs.override import override
from contacts.views.records import find, rows_of
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.responses import show_errors, toast
from crm.lifecycle.axes import Reason
from crm.users.http import Request


@require_http_methods(["GET", "POST"])
def move(request: Request, public_id: str, verb: str) -> HttpResponse:
    """Qualify, win, lose, churn, partner, reopen or override one contact."""
    contact = find(request, "contact", public_id)
    try:
        step = LIFECYCLE.move(verb)
    except KeyError:
        raise Http404 from None
    form = (OverrideForm if verb == "override" else ReasonForm)(request.POST or None)
    form.fields["reason"].required = step.reason == Reason.REQUIRED
    if request.method == "POST" and form.is_valid():
        try:
            outcome = _make(verb, contact, form.cleaned_data, request.actor).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            contact.refresh_from_db()
            name = LIFECYCLE.value(contact.lifecycle_stage).label
            toast(request, f"{contact} is {name} now.", undo_url=reverse("undo", args=[outcome.change]))
            return redirect(contact)
    context = {"contact": contact, "step": step, "form": form, "stage": LIFECYCLE.value(contact.lifecycle_stage)}
    context["target"] = LIFECYCLE.value(step.target) if step.target else None
    return render(request, "contacts/move.html", context, status=422 if form.errors else 200)


def _make(verb: str, contact, values: dict, by) -> Outcome:
    if verb == "override":
        return override(rows_of(contact), values["to"], by=by, reason=values["reason"])
    return VERBS[verb](rows_of(contact), values.get("reason", ""), by)
