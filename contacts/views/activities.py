"""Activities: logged on record pages, completed on My day, and a page of their own."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from contacts.activities.mentions import readers
from contacts.entities import ACTIVITY
from contacts.forms import ActivityForm, CompleteForm, NewActivityForm, ParticipantForm
from contacts.hooks import on_logged, opportunities_for
from contacts.models import Activity, Contact, Participant
from contacts.verbs.add_participants import add_participants
from contacts.verbs.complete import complete
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.log import log
from contacts.verbs.remove_participants import remove_participants
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Refused
from crm.kit.responses import show_errors, toast, warn
from crm.kit.transfers import max_body_size
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.records.panels import panels
from crm.records.registry import RECORD_TYPES
from crm.records.validation import clean
from crm.records.views.pages import find_record
from crm.users.http import Request
from crm.users.visibility import may_edit, may_see

LOGGED = {
    "note": _("Note added."),
    "call": _("Call logged."),
    "email": _("Email logged."),
    "meeting": _("Meeting logged."),
    "task": _("Task created."),
}
PLANNED = {
    "note": _("Note scheduled."),
    "call": _("Call scheduled."),
    "email": _("Email scheduled."),
    "meeting": _("Meeting scheduled."),
    "task": _("Task created."),
}


@max_body_size(settings.FILES_MAX_BODY)
@require_POST
def add_activity(request: Request, entity: str, public_id: str) -> HttpResponse:
    """Log or plan an activity with a record's contact or company."""
    record, about = find_record(request, entity, public_id), RECORD_TYPES[entity].about
    if about is None:
        raise Http404
    form = ActivityForm(request.POST, opportunities=opportunities_for(record, request.actor))
    if form.is_valid():
        try:
            _log(request, _values(form, request.actor) | about(record))
        except Invalid as error:
            show_errors(form, error)
        else:
            return redirect(record)
    context = {"form": form, "record": record, "entity": entity}
    return render(request, "contacts/activity_form.html", context, status=422)


@require_http_methods(["GET", "POST"])
def new_activity(request: Request) -> HttpResponse:
    """Log or plan an activity with a contact or company that is chosen on the page."""
    form = NewActivityForm(request.POST or None, initial={"kind": "task", "priority": "normal", "reminder": "0"})
    if request.method == "POST" and form.is_valid():
        try:
            activity = _log(request, _values(form, request.actor))
        except Invalid as error:
            show_errors(form, error)
        else:
            return redirect(activity)
    return render(request, "contacts/activity_form.html", {"form": form}, status=422 if form.errors else 200)


def _values(form: ActivityForm, by: Actor) -> dict[str, Any]:
    """Return the arguments of log(). Raises Invalid for a contact or company that can't be found."""
    values = {key: value for key, value in form.cleaned_data.items() if value not in (None, "")}
    for key in ("assignee", "opportunity"):
        if key in values:
            values[f"{key}_id"] = values.pop(key)
    for key in ("contact", "company", "participant"):
        if key in values:
            values[f"{key}_id"] = _link(key, values.pop(key), by)
    if participant := values.pop("participant_id", None):
        values["participants"] = [participant]
    values.setdefault("reminder", "")
    return values


def _link(key: str, text: str, by: Actor) -> int:
    """Return the key of a contact or company given by name or public id. Raises Invalid."""
    field = ACTIVITY.fields["company" if key == "company" else "contact"]
    try:
        found = clean("activity", field, text, by)
    except Invalid as error:
        raise Invalid({key: str(error)}) from None
    if found is None:  # only control characters
        raise Invalid({key: gettext("No record named “{name}”.").format(name=text)})
    return found


def _log(request: Request, values: dict[str, Any]) -> Activity:
    outcome = log([values], by=request.actor)
    activity = Activity.objects.select_related("contact", "company").get(pk=outcome.done[0])
    toast(request, _told(activity), undo_url=reverse("undo", args=[outcome.change]))
    _warn_of_blind(request, activity)
    for hook in on_logged:
        hook(request, activity)
    return activity


@require_GET
def activity_page(request: Request, public_id: str) -> HttpResponse:
    """Show an activity: what it is about, its people, its files."""
    activity = _activity(request, public_id)
    people = list(activity.participants.filter(deleted_at__isnull=True).select_related("contact").order_by("pk"))
    visible_to = Contact.objects.visible_to(request.actor).filter(pk__in=[row.contact_id for row in people])
    seen = {*visible_to.values_list("pk", flat=True)}
    about = activity.opportunity
    context = {
        "activity": activity,
        "record": activity.about,
        "opportunity": about,
        "sees_opportunity": about is not None and may_see(about, request.actor),
        "people": [(row, row.contact_id in seen) for row in people],
        "editable": may_edit(activity.about, request.actor),
        "panels": panels("activity", activity, request),
    }
    return render(request, "contacts/activity.html", context)


@require_http_methods(["GET", "POST"])
def add_participant(request: Request, public_id: str) -> HttpResponse:
    """Ask for a contact and add it to the activity."""
    activity = _activity(request, public_id)
    form = ParticipantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            contact = Contact.objects.get(pk=_link("contact", form.cleaned_data["contact"], request.actor))
            outcome = add_participants(_rows(activity), [contact], by=request.actor).or_raise()
        except (Invalid, Refused) as error:
            show_errors(form, error if isinstance(error, Invalid) else Invalid({"contact": str(error)}))
        else:
            sentence = gettext("{contact} added.").format(contact=contact)
            toast(request, sentence, undo_url=reverse("undo", args=[outcome.change]))
            return redirect(activity)
    context = {"activity": activity, "record": activity.about, "form": form}
    return render(request, "contacts/participant.html", context, status=422 if form.errors else 200)


@require_POST
def remove_participant(request: Request, public_id: str, pk: int) -> HttpResponse:
    activity = _activity(request, public_id)
    rows = Participant.objects.live().filter(activity=activity, pk=pk)
    contact = get_object_or_404(rows.select_related("contact")).contact
    outcome = remove_participants(rows, by=request.actor).or_raise()
    sentence = gettext("{contact} removed.").format(contact=contact)
    toast(request, sentence, undo_url=reverse("undo", args=[outcome.change]))
    return redirect(activity)


def _told(activity: Activity) -> str:
    """Return the toast by kind of activity: “Note added.”, “Call logged.”, “Task created.”."""
    sentences = PLANNED if activity.status == "pending" else LOGGED
    return str(sentences[activity.kind])


def _warn_of_blind(request: Request, activity: Activity) -> None:
    """Warn the author of an activity about mentioned members who can’t see it."""
    [(_, blind)] = readers([activity])
    if blind:
        names = ", ".join(map(str, blind))
        warn(request, gettext("{names} can’t see this record and won’t be notified.").format(names=names))


def _activity(request: Request, public_id: str) -> Activity:
    rows = Activity.objects.live().visible_to(request.actor)
    rows = rows.select_related("contact", "company", "opportunity", "owner__user", "assignee__user")
    activity = rows.filter(public_id=public_id).first()
    if activity is None:
        raise Http404
    return activity


def _rows(activity: Activity):
    return Activity.objects.filter(pk=activity.pk)


@require_http_methods(["GET", "POST"])
def finish_activity(request: Request, public_id: str) -> HttpResponse:
    """Complete a task; first ask for the outcome of a planned call."""
    activity = _activity(request, public_id)
    form = CompleteForm(request.POST if request.POST.get("outcome") or request.POST.get("asked") else None)
    asks = activity.kind == "call" and activity.status == "pending"
    if asks and not (request.method == "POST" and form.is_valid()):
        context = {"form": form, "activity": activity, "record": activity.about, "back": request.POST.get("back", "")}
        return render(request, "contacts/complete.html", context, status=422 if form.errors else 200)
    if request.method == "GET":
        return redirect(activity.about)
    try:
        outcome = complete(_rows(activity), by=request.actor, **(form.cleaned_data if asks else {}))
    except Invalid as error:
        show_errors(form, error)
        context = {"form": form, "activity": activity, "record": activity.about}
        return render(request, "contacts/complete.html", context, status=422)
    for sentence in outcome.refused.values():
        warn(request, sentence)
    if outcome.done:
        sentence = gettext("“{activity}” completed.").format(activity=activity)
        toast(request, sentence, undo_url=reverse("undo", args=[outcome.change]))
    back: Any = {"home": "/", "activity": activity}.get(request.POST.get("back", ""), activity.about)
    return redirect(back)


@require_http_methods(["GET", "POST"])
def change_activity(request: Request, public_id: str) -> HttpResponse:
    activity = _activity(request, public_id)
    offered = dict(opportunities_for(activity.about, request.actor))
    if activity.opportunity:  # closed or hidden ones too, so that saving keeps them
        offered.setdefault(activity.opportunity.pk, activity.opportunity.name)
    form = ActivityForm(request.POST or None, instance=activity, opportunities=offered.items())
    form.keep_for(activity)
    if request.method == "POST" and form.is_valid():
        try:
            outcome = edit_activity(_rows(activity), form.cleaned_data, by=request.actor).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            toast(request, gettext("Activity updated."), undo_url=reverse("undo", args=[outcome.change]))
            activity.refresh_from_db()
            _warn_of_blind(request, activity)
            return redirect(activity)
    context = {"form": form, "activity": activity, "record": activity.about}
    return render(request, "contacts/activity_form.html", context, status=422 if form.errors else 200)


@require_POST
def remove(request: Request, public_id: str) -> HttpResponse:
    activity = _activity(request, public_id)
    outcome = delete_activity(_rows(activity), by=request.actor).or_raise()
    toast(request, gettext("Activity deleted."), undo_url=reverse("undo", args=[outcome.change]))
    return redirect(activity.about)
