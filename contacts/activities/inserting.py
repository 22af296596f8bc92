"""New activities: checks of their links, and saving them with their participants."""

from collections.abc import Collection, Sequence
from typing import Any

from audit.record import record
from contacts.activities.participants import insert_participants, record_added
from contacts.models import Activity
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.users.models import Membership

SNAPSHOT = [f.name for f in Activity._meta.concrete_fields if f.editable and f.name not in ("id", "workspace")]
SNAPSHOT += ["automatic", "series_start"]


def check_links(activities: Sequence[Activity], by: Actor, participants: Collection[int] = ()) -> None:
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


def insert_activities(made: Sequence[Activity], others: Sequence[Collection[int]], *, by: Actor) -> bool:
    """Save and record new activities, each with the keys of its participants; return whether there are any.

    Participants are saved before the activities are recorded: what follows from a conversation concerns everyone in it.
    """
    Activity.objects.bulk_create(made)
    people = insert_participants({a.pk: who for a, who in zip(made, others, strict=True) if who}, by)
    for event, status in (("activity.logged", "done"), ("activity.planned", "pending")):
        ids = [activity.pk for activity in made if activity.status == status]
        if ids:
            record(event, Activity.objects.filter(pk__in=ids), by=by, snapshot=SNAPSHOT)
    record_added(people, by)
    return bool(people)
