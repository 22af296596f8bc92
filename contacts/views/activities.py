"""Activities on record pages and on My day."""

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from contacts.forms import ActivityForm, CompleteForm
from contacts.hooks import on_logged
from contacts.mentions import readers
from contacts.models import Activity
from contacts.verbs.complete import complete
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.log import log
from crm.kit.errors import Invalid
from crm.kit.responses import show_errors, toast, warn
from crm.kit.transfers import max_body_size
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.records.panels import panels
from crm.records.registry import RECORD_TYPES
from crm.records.views.pages import find_record
from crm.users.http import Request

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
    form = ActivityForm(request.POST)
    if form.is_valid():
        try:
            values = {key: value for key, value in form.cleaned_data.items() if value not in (None, "")}
            if assignee := values.pop("assignee", None):
                values["assignee_id"] = assignee
            outcome = log([values | about(record)], by=request.actor)
        except Invalid as error:
            show_errors(form, error)
        else:
            activity = Activity.objects.select_related("contact", "company").get(pk=outcome.done[0])
            toast(request, _told(activity), undo_url=reverse("undo", args=[outcome.change]))
            _warn_of_blind(request, activity)
            for hook in on_logged:
                hook(request, activity)
            return redirect(record)
    context = {"form": form, "record": record, "entity": entity}
    return render(request, "contacts/activity.html", context, status=422)


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
    activity = Activity.objects.live().visible_to(request.actor).filter(public_id=public_id).first()
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
    return redirect("/" if request.POST.get("back") == "home" else activity.about)


@require_http_methods(["GET", "POST"])
def change_activity(request: Request, public_id: str) -> HttpResponse:
    activity = _activity(request, public_id)
    form = ActivityForm(request.POST or None, instance=activity)
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
            return redirect(activity.about)
    context = {
        "form": form,
        "activity": activity,
        "record": activity.about,
        "panels": panels("activity", activity, request),
    }
    return render(request, "contacts/activity.html", context, status=422 if form.errors else 200)


@require_POST
def remove(request: Request, public_id: str) -> HttpResponse:
    activity = _activity(request, public_id)
    outcome = delete_activity(_rows(activity), by=request.actor).or_raise()
    toast(request, gettext("Activity deleted."), undo_url=reverse("undo", args=[outcome.change]))
    return redirect(activity.about)
