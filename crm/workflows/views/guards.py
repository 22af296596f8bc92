"""The settings pages of prerequisites: what must be true before a verb moves a record, tried before it is kept."""

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from crm.conditions.parse import in_words
from crm.entities import registry
from crm.entities.uses import unreadable_by_pk, why_unreadable
from crm.kit.errors import Invalid
from crm.kit.responses import show_errors, toast
from crm.kit.timelimit import TooSlow, time_limit
from crm.lifecycle.axes import all_axes
from crm.lifecycle.guards import check_guard
from crm.lifecycle.models import Guard
from crm.lifecycle.verbs.save_guard import save_guard
from crm.users.http import Request
from crm.users.roles import Right
from crm.users.views import needs
from crm.workflows.guard_preview import LAST, GuardPreview, preview_guard

NEEDED = {"aria-required": "true"}  # told here, asked for by guards.check


def _verbs() -> dict[str, list[tuple[str, str]]]:
    """By kind of record: ("contact.qualify", "Qualify") for every verb that moves one."""
    found: dict[str, dict[str, str]] = {}
    for axis in all_axes():
        labels = found.setdefault(registry.get(axis.entity).label, {})
        for move in axis.moves:
            labels.setdefault(f"{axis.entity}.{move.verb}", move.label)
    return {kind: list(labels.items()) for kind, labels in found.items()}


class GuardForm(forms.Form):
    """A verb, what must be true before it, and the sentence for those of whom it is not; guards.check has the rules."""

    verb = forms.ChoiceField(label="Before", choices=lambda: list(_verbs().items()))
    condition = forms.CharField(
        label="Must be true",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono", **NEEDED}),
        help_text="As in: email is not empty and lead_score >= 40",
    )
    message = forms.CharField(
        label="Else say",
        required=False,
        widget=forms.TextInput(attrs=NEEDED),
        max_length=200,
        help_text="People, imports and other systems read this sentence.",
    )
    position = forms.IntegerField(
        label="Order",
        min_value=0,
        max_value=999,
        initial=0,
        help_text="Of several that fail, the lowest is the one that is told.",
    )
    is_active = forms.BooleanField(label="In use", required=False, initial=True)


@require_GET
@needs(Right.WORKSPACE)
def guards(request: Request) -> HttpResponse:
    """Every prerequisite, by the verb that it stands before."""
    labels = {value: f"{kind}: {label}" for kind, verbs in _verbs().items() for value, label in verbs}
    broken = unreadable_by_pk("guard")
    rows = [
        (labels.get(_value(each), each.verb), each, in_words(each.condition, each.entity), broken.get(each.pk, ""))
        for each in Guard.objects.all()
    ]
    return render(request, "workflows/guards.html", {"rows": rows})


def _value(guard: Guard) -> str:
    return f"{guard.entity}.{guard.verb}"


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def guard(request: Request, pk: int | None = None) -> HttpResponse:
    """Write a prerequisite, or another; tried on what happened before it is saved."""
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
    toast(request, f"“{found.message}” {'is asked from now on' if found.is_active else 'is not asked any more'}.")
    return redirect("guards")


def _tried(found: Guard) -> GuardPreview | str:
    condition = check_guard(found)
    try:
        with time_limit():
            return preview_guard(found.entity, found.verb, condition)
    except TooSlow as error:
        return str(error)
