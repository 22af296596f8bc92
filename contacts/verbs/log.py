"""Log a completed activity or create a task."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from audit.record import record
from contacts.calls import check_occurred, check_outcome
from contacts.last_activity import touch
from contacts.models import Activity, Company, Contact
from crm.kit import clock
from crm.kit.actor import Actor, Channel, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.validation import check_lengths
from crm.users.models import Membership
from crm.users.visibility import visible

SNAPSHOT = [f.name for f in Activity._meta.concrete_fields if f.editable and f.name not in ("id", "workspace")]
SNAPSHOT.append("automatic")


@transaction.atomic
def log(activities: Sequence[Mapping[str, Any]], *, by: Actor) -> Outcome:
    """Add activities, each a mapping of Activity's fields: kind, subject, contact or company, body, due_at, …

    A task is pending until completed; other kinds are done, at `occurred_at` or now, unless due later. A completed call
    has an outcome. Pending activities are assigned to their owner unless `assignee` is given. Done ones update the
    contact's last activity. Raises Invalid for a missing kind, subject, contact or company, a missing or misplaced
    outcome, or a contact hidden from `by`; NotAllowed for a viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed(_("Viewers can’t log activities."))
    made = [_build(values, by) for values in activities]
    _check_visible(made, by)
    Activity.objects.bulk_create(made)
    for event, status in (("activity.logged", "done"), ("activity.planned", "pending")):
        ids = [activity.pk for activity in made if activity.status == status]
        if ids:
            record(event, Activity.objects.filter(pk__in=ids), by=by, snapshot=SNAPSHOT)
    touch(made)
    return Outcome(by.change, [activity.pk for activity in made])


def _build(values: Mapping[str, Any], by: Actor) -> Activity:
    now = clock.now()
    check_lengths(Activity, values)
    facts = {"owner_id": by.member_id, "created_at": now, "updated_at": now} | dict(values)
    activity = Activity(workspace_id=by.workspace_id, automatic=by.channel == Channel.WORKFLOW, **facts)
    _check(activity)
    planned = activity.kind == "task" or (activity.due_at and activity.due_at > now)
    activity.status = values.get("status") or ("pending" if planned else "done")
    if activity.status == "done":
        activity.done_at = activity.done_at or now
        activity.occurred_at = activity.occurred_at or activity.done_at
    else:
        activity.assignee_id = activity.assignee_id or activity.owner_id
    check_outcome(activity.kind, activity.status, activity.outcome)
    check_occurred(activity.occurred_at)
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


def _check_visible(activities: Sequence[Activity], by: Actor) -> None:
    assignees = {activity.assignee_id for activity in activities} - {None, by.member_id}
    if assignees and assignees - set(Membership.objects.filter(pk__in=assignees).values_list("pk", flat=True)):
        raise Invalid({"assignee": _("Choose a member.")})
    not_found = {"contact_id": _("Contact not found."), "company_id": _("Company not found.")}
    for model, name in ((Contact, "contact_id"), (Company, "company_id")):
        wanted = {getattr(activity, name) for activity in activities} - {None}
        found = set(model.objects.live().filter(visible(by), pk__in=wanted).values_list("pk", flat=True))
        if wanted - found:
            raise Invalid({name.removesuffix("_id"): not_found[name]})
