"""Settings pages of stage requirements: conditions for moving a record, tested before they are saved."""

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from crm.conditions.parse import in_words, sentence_of
from crm.entities import registry
from crm.entities.uses import unreadable_by_pk, why_unreadable
from crm.kit.errors import Invalid
from crm.kit.responses import show_errors, toast
from crm.kit.timelimit import TooSlow, time_limit
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import all_axes
from crm.lifecycle.guards import check_guard
from crm.lifecycle.models import Guard
from crm.lifecycle.verbs.save_guard import save_guard
from crm.users.http import Request
from crm.users.roles import Right
from crm.users.views import needs
from crm.workflows.guard_preview import LAST, GuardPreview, preview_guard

NEEDED = {"aria-required": "true"}  # marked here, enforced by check_guard()


def _verbs() -> dict[str, list[tuple[str, str]]]:
    """Map each entity's label to its moves, e.g. ("contact.qualify", "Qualify")."""
    found: dict[str, dict[str, str]] = {}
    for axis in all_axes():
        labels = found.setdefault(str(registry.get(axis.entity).label), {})
        for move in axis.moves:
            labels.setdefault(f"{axis.entity}.{move.verb}", move.label)
    return {kind: list(labels.items()) for kind, labels in found.items()}


class GuardForm(forms.Form):
    """A verb, its required condition and the error message, validated by check_guard()."""

    verb = forms.ChoiceField(label=_("Action"), choices=lambda: list(_verbs().items()))
    condition = forms.CharField(
        label=_("Condition"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono", **NEEDED}),
        help_text=_("e.g. email is not empty and lead_score >= 40"),
    )
    message = forms.CharField(
        label=_("Error message"),
        required=False,
        widget=forms.TextInput(attrs=NEEDED),
        max_length=200,
        help_text=_("Shown to users, in import reports and in API responses."),
    )
    position = forms.IntegerField(
        label=_("Order"),
        min_value=0,
        max_value=999,
        initial=0,
        help_text=_("If several fail, the one with the lowest number is shown."),
    )
    is_active = forms.BooleanField(label=_("Active"), required=False, initial=True)


@require_GET
@needs(Right.WORKSPACE)
def guards(request: Request) -> HttpResponse:
    labels = {value: _labelled(kind, label) for kind, verbs in _verbs().items() for value, label in verbs}
    broken = unreadable_by_pk("guard")
    rows = [
        (labels.get(_value(each), each.verb), each, sentence_of(each.condition, each.entity), broken.get(each.pk, ""))
        for each in Guard.objects.all()
    ]
    return render(request, "workflows/guards.html", {"rows": rows})


def _labelled(kind: str, action: str) -> str:
    return gettext("{record}: {action}").format(record=kind, action=action)


def _value(guard: Guard) -> str:
    return f"{guard.entity}.{guard.verb}"


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def guard(request: Request, pk: int | None = None) -> HttpResponse:
    """Create or edit a stage requirement, with an optional test on past changes."""
    found = Guard.objects.filter(pk=pk).first() if pk else Guard()
    if found is None:
        raise Http404
    form, tried = GuardForm(request.POST or None, initial=_initial(found)), None
    if form.is_valid():
        _fill(found, form.cleaned_data)
        try:
            if request.POST.get("do") != "try":
                return _saved(request, found)
            tried = _tried(found)
        except Invalid as error:
            show_errors(form, error)
    context = {"form": form, "guard": found if pk else None, "tried": tried, "last": LAST}
    context["problem"] = why_unreadable("guard", found.pk if request.method == "GET" else None)
    return render(request, "workflows/guard.html", context, status=422 if form.errors else 200)


def _initial(guard: Guard) -> dict[str, object]:
    if not guard.pk:
        return {}
    facts = {key: getattr(guard, key) for key in ("message", "position", "is_active")}
    return facts | {"verb": _value(guard), "condition": in_words(guard.condition, guard.entity)}


def _fill(found: Guard, written: dict[str, Any]) -> None:
    found.entity, _, found.verb = written["verb"].partition(".")
    for key in ("condition", "message", "position", "is_active"):
        setattr(found, key, written[key])


def _saved(request: Request, found: Guard) -> HttpResponse:
    save_guard(found, by=request.actor)
    active = gettext("Stage requirement “{message}” is now active.")
    inactive = gettext("Stage requirement “{message}” is now inactive.")
    toast(request, (active if found.is_active else inactive).format(message=found.message))
    return redirect("guards")


def _tried(found: Guard) -> GuardPreview | str:
    condition = check_guard(found)
    try:
        with time_limit():
            return preview_guard(found.entity, found.verb, condition)
    except TooSlow as error:
        return str(error)
