"""Log a completed activity or create a task."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from contacts.activities.conversations import check_in_range, check_occurred, check_outcome
from contacts.activities.inserting import check_links, insert_activities
from contacts.activities.last_activity import touch
from contacts.activities.participants import with_participants
from contacts.activities.repeating import check_repeats
from contacts.models import Activity
from crm.kit import clock
from crm.kit.actor import Actor, Channel, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.validation import check_lengths


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
    check_links(made, by, set().union(*others))
    has_people = insert_activities(made, others, by=by)
    touch(with_participants(Activity.objects.filter(pk__in=[a.pk for a in made])) if has_people else made)
    return Outcome(by.change, [activity.pk for activity in made])


def _build(values: Mapping[str, Any], by: Actor) -> Activity:
    now = clock.now()
    check_lengths(Activity, values)
    facts = {"owner_id": by.member_id, "reminder": "0", "created_at": now, "updated_at": now} | dict(values)
    activity = Activity(workspace_id=by.workspace_id, automatic=by.channel == Channel.WORKFLOW, **facts)
    _check(activity)
    check_in_range("due_at", activity.due_at)
    check_occurred(activity.occurred_at)
    planned = activity.kind == "task" or (activity.due_at and activity.due_at > now)
    activity.status = values.get("status") or ("pending" if planned else "done")
    if activity.status == "done":
        activity.done_at = activity.done_at or now
        activity.occurred_at = activity.occurred_at or activity.done_at
        activity.reminder = activity.repeats = ""
    else:
        activity.assignee_id, activity.occurred_at = activity.assignee_id or activity.owner_id, None
    check_outcome(activity.kind, activity.status, activity.outcome)
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
