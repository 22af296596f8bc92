"""Pages of one record: see it, make it, change it, throw it away."""

from typing import Any, Literal, overload
from zoneinfo import ZoneInfo

from django.core.files.storage import default_storage
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from contacts import timeline
from contacts.axes import LIFECYCLE
from contacts.forms import ActivityForm, BaseForm, NewForm, RecordForm, delete_form, editable_fields
from contacts.kinds import KINDS
from contacts.models import Company, Contact, Record
from contacts.moves import VERBS
from contacts.pictures import draw
from contacts.verbs.delete import delete
from contacts.verbs.edit import edit
from contacts.verbs.restore import restore
from contacts.verbs.set_avatar import set_avatar
from contacts.views.facts import fact, facts
from crm.entities.display import names_for, shown
from crm.entities.fields import Field, FieldType
from crm.entities.schema import schema
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.errors import Conflict, Invalid, Refused
from crm.kit.responses import show_errors, toast
from crm.kit.transfers import accepts
from crm.lifecycle.offers import offers
from crm.lists.panels import panels
from crm.users.http import Request
from crm.users.models import Membership
from crm.users.visibility import may_edit

REPORTS, COLLEAGUES = 20, 5  # people shown
LARGEST_PICTURE = 10 << 20  # bytes


@overload
def find(request: Request, entity: Literal["contact"], public_id: str) -> Contact: ...
@overload
def find(request: Request, entity: Literal["company"], public_id: str) -> Company: ...
@overload
def find(request: Request, entity: str, public_id: str) -> Contact | Company: ...
def find(request: Request, entity: str, public_id: str) -> Contact | Company:
    """The record called `public_id` that the actor sees. Raises Http404, also for one that is somebody else's."""
    kind = KINDS[entity]
    rows = kind.model.objects.visible_to(request.actor).select_related(*kind.related)
    return get_object_or_404(rows, public_id=public_id)


def rows_of(record: Record):
    """The record as the queryset that verbs take."""
    return type(record).objects.filter(pk=record.pk)


@require_GET
def contact_page(request: Request, public_id: str) -> HttpResponse:
    """One person: facts, what can be done now, what happened."""
    contact = find(request, "contact", public_id)
    if contact.merged_into_id and contact.deleted_at:
        return redirect(Contact.objects.get(pk=contact.merged_into_id))
    by, editable = request.actor, may_edit(contact, request.actor) and contact.deleted_at is None
    items, tasks, more = timeline.of_contact(contact, by)
    context = common(request, "contact", contact, editable, items, tasks, more)
    context |= _head(contact, by, editable=editable) | _around(contact, by)
    return render(request, "contacts/contact.html", context)


def _head(contact: Contact, by: Actor, *, editable: bool) -> dict:
    """Who it is, where they stand and why, and what can be done now."""
    return {
        "offers": offers(contact, LIFECYCLE, by=by, editable=editable),
        "move_url": "contact_move",
        "stage": LIFECYCLE.value(contact.lifecycle_stage),
        "readonly": readonly(contact, by),
        "sees_lift": by.is_at_least(Role.ADMIN),
        "local_time": clock.now().astimezone(ZoneInfo(contact.timezone)) if contact.timezone else None,
    }


def _around(contact: Contact, by: Actor) -> dict:
    """Who reports to a contact, and its company, if the actor sees it, with some of its other people."""
    people = Contact.objects.live().visible_to(by).order_by("name_key")
    around: dict[str, Any] = {"reports": people.filter(manager=contact)[:REPORTS]}
    if Company.objects.visible_to(by).filter(pk=contact.company_id).exists():
        colleagues = people.filter(company=contact.company_id).exclude(pk=contact.pk)
        around["company"] = contact.company
        around["colleagues"] = colleagues.exclude(manager=contact)[:COLLEAGUES]
        around["headcount"] = people.filter(company=contact.company_id).count()
    return around


def readonly(record: Record, by: Actor) -> str:
    """Why the actor cannot change a record that they see."""
    if not by.is_at_least(Role.REP):
        return "You can look at everything here; changing it needs the role rep."
    return f"{record.owner or 'Another team'} works on this {record._meta.verbose_name}: you can look, not change."


@require_GET
def company_page(request: Request, public_id: str) -> HttpResponse:
    """One company: facts, its people, what happened."""
    company = find(request, "company", public_id)
    editable = may_edit(company, request.actor) and company.deleted_at is None
    items, tasks, more = timeline.of_company(company, request.actor)
    people = Contact.objects.live().visible_to(request.actor).filter(company=company).select_related("owner__user")
    context = common(request, "company", company, editable, items, tasks, more)
    context["people"] = people.order_by("name_key")[:50]
    return render(request, "contacts/company.html", context)


def common(request: Request, entity: str, record: Record, editable: bool, items, tasks, more) -> dict:
    """What every record's page shows: its facts, its timeline, its open tasks, and the panels of upper apps."""
    return {
        "entity": entity,
        "record": record,
        "editable": editable,
        "facts": facts(entity, record),
        "items": items,
        "tasks": tasks,
        "more": more,
        "composer": ActivityForm(initial={"kind": "note", "priority": "normal"}, near=_near(record, request.actor)),
        "panels": panels(entity, record, request),
    }


def _near(record: Record, by: Actor) -> list[Membership]:
    """The record's owner, whom a task may be for beside the one who writes it; a task's own page offers everybody."""
    return [record.owner] if record.owner and record.owner_id != by.member_id else []


@require_GET
def more_timeline(request: Request, entity: str, public_id: str) -> HttpResponse:
    """The next page of the timeline."""
    record = find(request, entity, public_id)
    items, _, more = KINDS[entity].timeline(record, request.actor, request.GET.get("before", ""))
    context = {"entity": entity, "record": record, "items": items, "more": more}
    return render(request, "contacts/timeline_page.html" if not request.htmx else "contacts/timeline.html", context)


@require_http_methods(["GET", "POST"])
def new(request: Request, entity: str) -> HttpResponse:
    """Add a record."""
    also = KINDS[entity].asked_once
    keys = request.GET.keys() & {*also, *(field.key for field in editable_fields(entity))}
    initial = {key: request.GET[key] for key in keys}
    form = NewForm(entity, request.POST or None, initial=initial, also=also)
    if request.method == "POST" and form.is_valid():
        try:
            made = KINDS[entity].create([form.values()], by=request.actor, **form.stage())
        except Invalid as error:
            show_errors(form, error)
        else:
            record = KINDS[entity].model.objects.get(pk=made.done[0])
            toast(request, f"Added {record}.", undo_url=reverse("undo", args=[made.change]))
            return redirect(record)
    context = _form_context(entity, form)
    return render(request, "contacts/new.html", context, status=422 if form.errors else 200)


def _form_context(entity: str, form: RecordForm) -> dict:
    wide = {field.key for field in form.declared if field.type is FieldType.LONG_TEXT}
    return {"form": form, "entity": entity, "kind": schema(entity).entity, "wide": wide}


@require_http_methods(["GET", "POST"])
def change(request: Request, entity: str, public_id: str) -> HttpResponse:
    """Edit every field; what somebody else changed meanwhile is shown beside it, never overwritten."""
    record = find(request, entity, public_id)
    form = RecordForm(entity, request.POST or None, record=record)
    base = BaseForm(entity, request.POST if request.method == "POST" else None, record=record)
    conflict: Conflict | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return _changed(request, entity, record, form, base)
        except Conflict as error:
            conflict, record = error, find(request, entity, public_id)
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
    if isinstance(record, Contact):
        context |= _moves(request, record)
    status = 409 if conflict else (422 if form.errors else 200)
    return render(request, "contacts/edit.html", context, status=status)


def _changed(request: Request, entity: str, record: Record, form: RecordForm, base: BaseForm) -> HttpResponse:
    seen = base.seen()
    values = form.cleaned_data | {
        key: seen[key] for key in form.cleaned_data if request.POST.get(f"keep-{key}") == "theirs"
    }
    verb = request.POST.get("move", "")
    with transaction.atomic():
        outcome = edit(rows_of(record), values, by=request.actor, base=base.seen()).or_raise()
        if entity == "contact" and verb in VERBS:
            VERBS[verb](rows_of(record), request.POST.get("reason", ""), request.actor).or_raise()
    toast(request, "Saved.", undo_url=reverse("undo", args=[outcome.change]))
    return redirect(record)


def _reopened(entity: str, record: Record, form: RecordForm, base: BaseForm) -> tuple[RecordForm, BaseForm]:
    """The form on the record as it is now: with the fields that this person changed, and no others, as they left them.

    Sending the rest along as it was would take back, at the next save, what others have changed in it.
    """
    seen = base.seen()
    mine = {key: value for key, value in form.cleaned_data.items() if value != seen.get(key)}
    again = RecordForm(entity, initial=mine, record=record, keys=form.keys)
    return again, BaseForm(entity, record=record, keys=form.keys)


def _moves(request: Request, contact: Contact) -> dict:
    """The stages that the table of moves allows this user to set now, for the edit form."""
    found = offers(contact, LIFECYCLE, by=request.actor, editable=may_edit(contact, request.actor))
    return {
        "moves": [offer for offer in found if offer.move.verb in VERBS and (offer.allowed or offer.evidence)],
        "stage": LIFECYCLE.value(contact.lifecycle_stage),
        "move": request.POST.get("move", ""),
        "reason": request.POST.get("reason", ""),
    }


def _side_by_side(entity: str, conflict: Conflict) -> list[dict]:
    known = schema(entity)
    both = [{key: pair[side] for key, pair in conflict.fields.items()} for side in (0, 1)]
    names = names_for(entity, both)
    rows = []
    for key, (yours, theirs) in conflict.fields.items():
        item = known.fields.get(key.removeprefix("custom."))
        rows.append({"field": item, "yours": shown(item, yours, names), "theirs": shown(item, theirs, names)})
    return rows


@require_http_methods(["GET", "POST"])
def change_field(request: Request, entity: str, public_id: str, key: str) -> HttpResponse:
    """Edit one field in place: the form where the value stood, then the value again."""
    record = find(request, entity, public_id)
    field = next((field for field in editable_fields(entity) if field.key == key), None)
    if field is None:
        raise Http404
    if request.method == "GET" and not may_edit(record, request.actor):
        raise Refused(f"You can see this {entity} but not change it.")
    if request.method == "GET" and request.GET.get("cancel"):
        return _fact(request, entity, record, field)
    form = RecordForm(entity, request.POST or None, record=record, keys=(key,))
    base = BaseForm(entity, request.POST or None, record=record, keys=(key,))
    conflicts: list[dict] = []
    if request.method == "POST" and form.is_valid():
        try:
            edit(rows_of(record), form.cleaned_data, by=request.actor, base=base.seen()).or_raise()
            if not request.htmx:
                return redirect(record)
            saved = _fact(request, entity, find(request, entity, public_id), field, saved=True)
            return trigger_client_event(saved, "announce", {"text": f"{field.label} saved"})
        except Invalid as error:
            show_errors(form, error)
        except Conflict as error:
            conflicts = _side_by_side(entity, error)
            form, base = _reopened(entity, find(request, entity, public_id), form, base)
    context = _fact_context(request, entity, record, field) | {"form": form, "base": base, "conflicts": conflicts}
    template = "contacts/fact_form.html" if request.htmx else "contacts/fact_page.html"
    # A part that htmx asked for is shown on 422 only; a 409 leaves the page as it is.
    status = 409 if conflicts and not request.htmx else (422 if conflicts or form.errors else 200)
    return render(request, template, context, status=status)


def _fact(request: Request, entity: str, record: Record, field: Field, *, saved: bool = False) -> HttpResponse:
    """The value; on a contact's page also its head again, because a fact may open or close a move."""
    context = _fact_context(request, entity, record, field)
    if saved and isinstance(record, Contact) and not context["cell"]:
        context |= _head(record, request.actor, editable=True) | {"part": True}
    return render(request, "contacts/fact.html", context)


def _fact_context(request: Request, entity: str, record: Record, field: Field) -> dict:
    """What stands where a value is edited; in a list that is the cell, which has no pencil."""
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
    """Into the trash, with a reason."""
    record = find(request, entity, public_id)
    form = delete_form(request.actor)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        outcome = delete(rows_of(record), by=request.actor, reason=form.cleaned_data["reason"]).or_raise()
        toast(request, f"{record} is in the trash.", undo_url=reverse("undo", args=[outcome.change]))
        return redirect(record)
    context = {"form": form, "record": record, "entity": entity}
    return render(request, "contacts/delete.html", context, status=422 if form.errors else 200)


@require_POST
def take_out(request: Request, entity: str, public_id: str) -> HttpResponse:
    """Out of the trash."""
    record = find(request, entity, public_id)
    outcome = restore(rows_of(record), by=request.actor).or_raise()
    toast(request, f"{record} is back.", undo_url=reverse("undo", args=[outcome.change]))
    return redirect(record)


@accepts(LARGEST_PICTURE)
@require_http_methods(["GET", "POST"])
def avatar(request: Request, public_id: str) -> HttpResponseBase:
    """A contact's picture; posting a file sets it, posting none takes it away."""
    contact = find(request, "contact", public_id)
    if request.method == "POST":
        picture = request.FILES.get("avatar")
        set_avatar(
            rows_of(contact), draw(picture.file) if picture and picture.file else None, by=request.actor
        ).or_raise()
        return redirect(contact)
    if not contact.avatar.name or not default_storage.exists(contact.avatar.name):
        raise Http404
    etag = quote_etag(contact.avatar.name)  # a new picture has a new name
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        response = FileResponse(default_storage.open(contact.avatar.name), content_type="image/webp")
    # The browser may keep it, and asks each time whether it may show it: not after a sign-out.
    response["ETag"], response["Cache-Control"] = etag, "private, no-cache"
    return response
