"""Create, edit and delete pages of records."""

from collections.abc import Mapping

from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from crm.entities.display import names_for, shown
from crm.entities.fields import Field, FieldType
from crm.entities.schema import schema
from crm.kit.errors import Conflict, Invalid, Refused
from crm.kit.responses import show_errors, toast
from crm.kit.translation import gettext as _
from crm.lifecycle.axes import Axis
from crm.lifecycle.offers import offers
from crm.records.facts import fact
from crm.records.forms import BaseForm, NewForm, RecordForm, delete_form, editable_fields
from crm.records.models import Record
from crm.records.registry import RECORD_TYPES, RecordType, Suggestion
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from crm.records.views.pages import find_record, rows_of
from crm.users.http import Request
from crm.users.visibility import may_edit


@require_http_methods(["GET", "POST"])
def new(request: Request, entity: str) -> HttpResponse:
    kind = RECORD_TYPES[entity]
    also = kind.asked_once
    keys = request.GET.keys() & {*also, *(field.key for field in editable_fields(entity))}
    initial = {key: request.GET[key] for key in keys}
    form = NewForm(entity, request.POST or None, initial=initial, also=also, axis=kind.form_axis)
    suggested = _suggested(kind, form, request) if request.method == "POST" and form.is_valid() else {}
    if request.method == "POST" and form.is_valid() and not suggested:
        try:
            made = kind.create([form.values()], by=request.actor, **form.start())
        except Invalid as error:
            show_errors(form, error)
        else:
            record = kind.model.objects.get(pk=made.done[0])
            toast(request, _("{record} created.").format(record=record), undo_url=reverse("undo", args=[made.change]))
            return redirect(record)
    if suggested:
        form = NewForm(entity, _with(request.POST, suggested), initial=initial, also=also, axis=kind.form_axis)
    context = _form_context(entity, form) | {"suggested": suggested}
    return render(request, "records/new.html", context, status=422 if form.errors else 200)


def _suggested(kind: RecordType, form: NewForm, request: Request) -> Mapping[str, Suggestion]:
    """Return values to fill in for the user, who then creates the record with them or without: offered once."""
    return {} if request.POST.get("suggested") else kind.suggest(form.values(), request.actor)


def _with(data: QueryDict, suggested: Mapping[str, Suggestion]) -> QueryDict:
    filled = data.copy()
    for key, suggestion in suggested.items():
        filled[key] = suggestion.value
    return filled


def _form_context(entity: str, form: RecordForm) -> dict:
    wide = {field.key for field in form.declared if field.type is FieldType.LONG_TEXT}
    return {"form": form, "entity": entity, "kind": schema(entity).entity, "wide": wide}


@require_http_methods(["GET", "POST"])
def change(request: Request, entity: str, public_id: str) -> HttpResponse:
    """Edit every field; concurrent changes are shown beside it, never overwritten."""
    record = find_record(request, entity, public_id)
    form = RecordForm(entity, request.POST or None, record=record)
    base = BaseForm(form, record, request.POST if request.method == "POST" else None)
    conflict: Conflict | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return _changed(request, entity, record, form, base)
        except Conflict as error:
            conflict, record = error, find_record(request, entity, public_id)
            form, base = _reopened(entity, record, form, base)
        except Invalid as error:
            show_errors(form, error)
        except Refused as error:
            form.add_error(None, str(error))
    context = _form_context(entity, form) | {
        "base": base,
        "record": record,
        "conflicts": _side_by_side(entity, conflict) if conflict else [],
    }
    if axis := RECORD_TYPES[entity].form_axis:
        context |= _moves(request, record, axis)
    status = 409 if conflict else (422 if form.errors else 200)
    return render(request, "records/edit.html", context, status=status)


def _changed(request: Request, entity: str, record: Record, form: RecordForm, base: BaseForm) -> HttpResponse:
    seen = base.seen()
    values = form.cleaned_data | {
        key: seen[key] for key in form.cleaned_data if request.POST.get(f"keep-{key}") == "theirs"
    }
    verb = RECORD_TYPES[entity].verbs.get(request.POST.get("move", ""))
    with transaction.atomic():
        outcome = edit(rows_of(record), values, by=request.actor, base=seen).or_raise()
        if verb:
            verb(rows_of(record), by=request.actor, reason=request.POST.get("reason", "")).or_raise()
    toast(request, _("{record} saved.").format(record=record), undo_url=reverse("undo", args=[outcome.change]))
    return redirect(record)


def _reopened(entity: str, record: Record, form: RecordForm, base: BaseForm) -> tuple[RecordForm, BaseForm]:
    """Return the form on the current record, keeping only this user's changes.

    Resending unchanged fields would revert others' changes at the next save.
    """
    seen = base.seen()
    mine = {key: value for key, value in form.cleaned_data.items() if value != seen.get(key)}
    again = RecordForm(entity, initial=mine, record=record, keys=form.keys)
    return again, BaseForm(again, record)


def _moves(request: Request, record: Record, axis: Axis) -> dict:
    """Return the axis values this user can set now, for the edit form."""
    found = offers(record, axis, by=request.actor, editable=may_edit(record, request.actor))
    return {
        "axis": axis,
        "moves": [offer for offer in found if offer.move.target and (offer.allowed or offer.evidence)],
        "stage": axis.value(getattr(record, axis.field)),
        "move": request.POST.get("move", ""),
        "reason": request.POST.get("reason", ""),
    }


def _side_by_side(entity: str, conflict: Conflict) -> list[dict]:
    known = schema(entity)
    both = [{key: pair[side] for key, pair in conflict.fields.items()} for side in (0, 1)]
    names = names_for(entity, both)
    rows = []
    for key, (yours, theirs) in conflict.fields.items():
        item = known.fields.get(key.removeprefix("custom."))  # not a text
        rows.append({"field": item, "yours": shown(item, yours, names), "theirs": shown(item, theirs, names)})
    return rows


@require_http_methods(["GET", "POST"])
def change_field(request: Request, entity: str, public_id: str, key: str) -> HttpResponse:
    """Edit one field in place: the form replaces the value, then the value replaces the form."""
    record = find_record(request, entity, public_id)
    field = next((field for field in editable_fields(entity) if field.key == key), None)
    if field is None:
        raise Http404
    if request.method == "GET" and not may_edit(record, request.actor):
        raise Refused(_("View only – you can’t edit this record."))
    if request.method == "GET" and request.GET.get("cancel"):
        return _fact(request, entity, record, field)
    form = RecordForm(entity, request.POST or None, record=record, keys=(key,))
    base = BaseForm(form, record, request.POST or None)
    conflicts: list[dict] = []
    if request.method == "POST" and form.is_valid():
        try:
            edit(rows_of(record), form.cleaned_data, by=request.actor, base=base.seen()).or_raise()
            if not request.htmx:
                return redirect(record)
            saved = _fact(request, entity, find_record(request, entity, public_id), field, saved=True)
            return trigger_client_event(saved, "announce", {"text": _("{field} saved.").format(field=field.label)})
        except Invalid as error:
            show_errors(form, error)
        except Conflict as error:
            conflicts = _side_by_side(entity, error)
            form, base = _reopened(entity, find_record(request, entity, public_id), form, base)
    context = _fact_context(request, entity, record, field) | {"form": form, "base": base, "conflicts": conflicts}
    template = "records/fact_form.html" if request.htmx else "records/fact_page.html"
    # htmx swaps the fragment on 422 only; a 409 leaves the page unchanged.
    status = 409 if conflicts and not request.htmx else (422 if conflicts or form.errors else 200)
    return render(request, template, context, status=status)


def _fact(request: Request, entity: str, record: Record, field: Field, *, saved: bool = False) -> HttpResponse:
    """Return the value; on a record page also its head, if the type has one."""
    context, kind = _fact_context(request, entity, record, field), RECORD_TYPES[entity]
    if saved and kind.head_template and not context["cell"]:
        context |= kind.head(record, request.actor, True) | {"head": kind.head_template}
    return render(request, "records/fact.html", context)


def _fact_context(request: Request, entity: str, record: Record, field: Field) -> dict:
    """Return the context of an edited value; in a list it is a cell without a pencil."""
    cell = request.GET.get("cell") == "1"
    return {
        "fact": fact(record, field),
        "field": field,
        "entity": entity,
        "record": record,
        "cell": cell,
        "editable": not cell,
        "url": reverse(f"{entity}_field", args=[record.public_id, field.key]) + ("?cell=1" if cell else ""),
    }


@require_http_methods(["GET", "POST"])
def trash(request: Request, entity: str, public_id: str) -> HttpResponse:
    record = find_record(request, entity, public_id)
    form = delete_form(request.actor)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        outcome = delete(rows_of(record), by=request.actor, reason=form.cleaned_data["reason"]).or_raise()
        done = _("{record} moved to trash.").format(record=record)
        toast(request, done, undo_url=reverse("undo", args=[outcome.change]))
        return redirect(record)
    context = {"form": form, "record": record, "entity": entity}
    return render(request, "records/delete.html", context, status=422 if form.errors else 200)


@require_POST
def take_out(request: Request, entity: str, public_id: str) -> HttpResponse:
    record = find_record(request, entity, public_id)
    outcome = restore(rows_of(record), by=request.actor).or_raise()
    toast(request, _("{record} restored.").format(record=record), undo_url=reverse("undo", args=[outcome.change]))
    return redirect(record)
