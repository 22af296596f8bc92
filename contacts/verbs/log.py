"""Log a completed activity or create a task."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction

from audit.record import record
from contacts.calls import check_occurred, check_outcome
from contacts.last_activity import touch
from contacts.models import Activity
from contacts.participants import insert_participants, record_added, with_participants
from contacts.repeating import check_repeats
from crm.kit import clock
from crm.kit.actor import Actor, Channel, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.validation import check_lengths
from crm.users.models import Membership

SNAPSHOT = [f.name for f in Activity._meta.concrete_fields if f.editable and f.name not in ("id", "workspace")]
SNAPSHOT += ["automatic", "series_start"]


@transaction.atomic
def log(activities: Sequence[Mapping[str, Any]], *, by: Actor) -> Outcome:
    """Add activities, each a mapping of Activity's fields: kind, subject, contact or company, body, due_at, …

    `participants`: the keys of further contacts. A task is pending until completed; other kinds are done, at
    `occurred_at` or now, unless due later. A completed call has an outcome. Pending activities are assigned to their
    owner unless `assignee` is given. Done ones update the last activity of everyone in them. Raises Invalid for a
    missing kind, subject, contact or company, a missing or misplaced outcome, a repetition without due time, or a
    record hidden from `by`; NotAllowed for a viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed(_("Viewers can’t log activities."))
    made = [_build({key: values[key] for key in values.keys() - {"participants"}}, by) for values in activities]
    others = [set(values.get("participants", ())) - {values.get("contact_id")} for values in activities]
    check_visible(made, by, set().union(*others))
    Activity.objects.bulk_create(made)
    # Before the activities are recorded: what follows from a conversation concerns everyone in it.
    people = insert_participants({a.pk: who for a, who in zip(made, others, strict=True) if who}, by)
    record_planned_and_done(made, by)
    record_added(people, by)
    touch(with_participants(Activity.objects.filter(pk__in=[a.pk for a in made])) if people else made)
    return Outcome(by.change, [activity.pk for activity in made])


def record_planned_and_done(made: Sequence[Activity], by: Actor) -> None:
    """Record new activities."""
    for event, status in (("activity.logged", "done"), ("activity.planned", "pending")):
        ids = [activity.pk for activity in made if activity.status == status]
        if ids:
            record(event, Activity.objects.filter(pk__in=ids), by=by, snapshot=SNAPSHOT)


def _build(values: Mapping[str, Any], by: Actor) -> Activity:
    now = clock.now()
    check_lengths(Activity, values)
    facts = {"owner_id": by.member_id, "reminder": "0", "created_at": now, "updated_at": now} | dict(values)
    activity = Activity(workspace_id=by.workspace_id, automatic=by.channel == Channel.WORKFLOW, **facts)
    _check(activity)
    planned = activity.kind == "task" or (activity.due_at and activity.due_at > now)
    activity.status = values.get("status") or ("pending" if planned else "done")
    if activity.status == "done":
        activity.done_at = activity.done_at or now
        activity.occurred_at = activity.occurred_at or activity.done_at
        activity.reminder = activity.repeats = ""
    else:
        activity.assignee_id = activity.assignee_id or activity.owner_id
    check_outcome(activity.kind, activity.status, activity.outcome)
    check_occurred(activity.occurred_at)
    check_repeats(activity.repeats, activity.due_at)
    activity.series_start = activity.due_at if activity.repeats else None
    activity.derive()
    return activity


def _check(activity: Activity) -> None:
    if activity.kind not in dict(Activity.KINDS):
        if activity.kind:
            sentence = _("“{kind}” isn’t an activity type. Choose one of: {kinds}.")
        else:
            sentence = _("Choose an activity type: {kinds}.")
        raise Invalid({"kind": sentence.format(kind=activity.kind, kinds=", ".join(dict(Activity.KINDS)))})
    if not activity.subject.strip():
        raise Invalid({"subject": _("Add a note or a subject.")})
    if not (activity.contact_id or activity.company_id):
        raise Invalid({"contact": _("Choose a contact or company for this activity.")})


def check_visible(activities: Sequence[Activity], by: Actor, participants: Collection[int] = ()) -> None:
    """Raise Invalid for links of activities, or participants, that are hidden from `by`, in the trash or unknown."""
    assignees = {activity.assignee_id for activity in activities} - {None, by.member_id}
    if assignees and assignees - set(Membership.objects.filter(pk__in=assignees).values_list("pk", flat=True)):
        raise Invalid({"assignee": _("Choose a member.")})
    sentences = {
        "contact": _("Contact not found."),
        "company": _("Company not found."),
        "opportunity": _("Opportunity not found."),
    }
    for name, sentence in sentences.items():
        _check_link(name, {getattr(activity, f"{name}_id") for activity in activities}, sentence, by)
    _check_link("contact", participants, sentences["contact"], by, "participants")


def _check_link(name: str, wanted: Collection[int | None], sentence: str, by: Actor, key: str = "") -> None:
    model: Any = Activity._meta.get_field(name).related_model
    keys = set(wanted) - {None}
    if keys and keys - set(model.objects.live().visible_to(by).filter(pk__in=keys).values_list("pk", flat=True)):
        raise Invalid({key or name: sentence})
