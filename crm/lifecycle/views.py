"""Pages of stage definitions, and of a record's evidence."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from crm.conditions.parse import in_words, sentences_of
from crm.entities import registry
from crm.entities.uses import why_unreadable
from crm.kit import formats
from crm.kit.actor import Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.responses import show_errors, toast
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis, all_axes
from crm.lifecycle.definitions import (
    WRITTEN,
    Definition,
    contradicts_entry_criteria,
    definitions,
    ends,
    find_axis,
    moves_leading_to,
)
from crm.lifecycle.evidence import evidence, waiting
from crm.lifecycle.forms import DefinitionForm, WaitForm, day_begins
from crm.lifecycle.models import StageDefinition
from crm.lifecycle.verbs.save_definition import save_definition
from crm.lifecycle.verbs.wait import wait
from crm.users.http import Request
from crm.users.roles import Right, may

# Roles that may move, by the lowest one.
FROM_ROLE = {
    Role.VIEWER: _("all members"),
    Role.REP: _("reps, managers and admins"),
    Role.MANAGER: _("managers and admins"),
    Role.ADMIN: _("admins"),
}


@require_GET
def overview(request: Request) -> HttpResponse:
    """Show every axis value with meaning, criteria and owner."""
    axes = [(axis, registry.get(axis.entity), _lines(axis)) for axis in all_axes()]
    return render(request, "lifecycle/overview.html", {"axes": axes})


def _lines(axis: Axis) -> list[dict[str, Any]]:
    found = definitions(axis)
    return [_line(axis, choice.value, found[choice.value]) for choice in axis.values]


def _line(axis: Axis, value: str, definition: Definition) -> dict[str, Any]:
    return {
        "choice": axis.value(value),
        "definition": definition,
        "entry": sentences_of(definition.entry, axis.entity),
        "exit": sentences_of(definition.exit, axis.entity),
        "ends": ends(axis, value),
        "contradicting": _list_of(axis, contradicts_entry_criteria(axis, value, definition)),
        "by_hand": [(move.label, FROM_ROLE[move.role]) for move in moves_leading_to(axis, value) if not move.by_rule],
    }


def _list_of(axis: Axis, where: str) -> str:
    """Return the URL of the list of records that match a condition; '' without one."""
    return f"/{registry.get(axis.entity).path}?{urlencode({'view': 'all', 'where': where})}" if where else ""


@require_http_methods(["GET", "POST"])
def definition_page(request: Request, entity: str, axis: str, value: str) -> HttpResponse:
    """Show one value's definition and its versions; admins save the next one."""
    on = _axis(entity, axis)
    try:
        current = definitions(on)[value]
    except KeyError:
        raise Http404 from None
    shown = {name: getattr(current, name) for name in WRITTEN}
    shown |= {name: in_words(shown[name], entity) for name in ("entry", "exit")}
    may_edit = may(request.actor, Right.WORKSPACE)
    form = DefinitionForm(request.POST or None, initial=shown, axis=on)
    if request.method == "POST" and not may_edit:
        raise NotAllowed(gettext("Only admins can edit stage definitions."))
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_definition(on, value, form.cleaned_data, by=request.actor)
        except Invalid as error:
            show_errors(form, error)
        else:
            sentence = gettext("{stage} definition updated (version {number}).")
            toast(request, sentence.format(stage=on.value(value).label, number=saved.version))
            return redirect("stage_definition", entity, axis, value)
    rows = StageDefinition.objects.filter(entity=entity, axis=axis, value=value).select_related("member__user")
    context = _line(on, value, current) | {"axis": on, "kind": registry.get(entity), "form": form}
    newest = rows.order_by("-version").first()
    context |= {"may_edit": may_edit, "versions": rows.order_by("-version")}
    context["problem"] = why_unreadable("stage_definition", newest.pk if newest else None)
    return render(request, "lifecycle/definition.html", context, status=422 if form.errors else 200)


def _axis(entity: str, field: str) -> Axis:
    try:
        return find_axis(entity, field)
    except KeyError:
        raise Http404 from None


@require_GET
def why(request: Request, entity: str, axis: str, public_id: str) -> HttpResponse:
    """Show the evidence for a record's stage: the badge's menu for htmx, otherwise a page."""
    on = _axis(entity, axis)
    record = _record(request, entity, public_id)
    value = getattr(record, on.field)
    definition = definitions(on)[value]
    context = _line(on, value, definition) | {"record": record, "axis": on, "wait": waiting(record, entity)}
    context["groups"] = evidence(record, on, definition, request.actor)
    return render(request, "lifecycle/why_part.html" if request.htmx else "lifecycle/why.html", context)


def _record(request: Request, entity: str, public_id: str) -> Any:
    if entity not in {axis.entity for axis in all_axes()}:
        raise Http404
    record = registry.get(entity).model.objects.visible_to(request.actor).filter(public_id=public_id).first()
    if record is None:
        raise Http404
    return record


@require_http_methods(["GET", "POST"])
def wait_page(request: Request, entity: str, public_id: str) -> HttpResponse:
    """Snooze one record with a reason."""
    record = _record(request, entity, public_id)
    form = WaitForm(request.POST or None)
    if form.is_valid():
        rows, until = type(record).objects.filter(pk=record.pk), day_begins(form.cleaned_data["until"])
        try:
            wait(rows, by=request.actor, reason=form.cleaned_data["reason"], until=until).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            until_day = formats.day(form.cleaned_data["until"])
            toast(request, gettext("{record} snoozed until {date}.").format(record=record, date=until_day))
            return redirect(record.get_absolute_url())
    context = {"form": form, "record": record, "wait": waiting(record, entity)}
    return render(request, "lifecycle/wait.html", context, status=422 if form.errors else 200)
