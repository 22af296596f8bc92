"""Engagement derived from activities: connected calls, meetings, and the contact's own emails."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from contacts import merging, suppression, undone, valid  # noqa: F401  (what else follows from what happens)
from contacts.activities.conversations import CONVERSATIONS, conversation_times, is_from_contact
from contacts.activities.participants import activities_of, people_in, with_participants
from contacts.engagement import NewEngagement, forget, store
from contacts.models import Activity, Contact, EngagementEvent
from crm.events.reactions import reacts_to
from crm.kit.actor import Actor

KINDS = ("call_connected", "meeting_booked", "email_reply")


@reacts_to("activity.logged", "activity.planned", "activity.completed", "activity.restored", "activity.undone")
def from_activities(activities: QuerySet, by: Actor) -> None:
    """React to activities that were logged, planned or completed, or restored."""
    _keep(_told_by(activities), by)


@reacts_to("participant.added", "participant.moved", "participant.undone")
def from_participants(participants: QuerySet, by: Actor) -> None:
    """React to new participants: what took place concerns them too."""
    _keep(_told_by(activities_of(participants)), by)


@reacts_to("participant.removed")
def forget_removed(participants: QuerySet, by: Actor) -> None:
    """React to removed participants: remove the engagement that they showed in those activities."""
    moments: defaultdict[int, set[datetime | None]] = defaultdict(set)
    for row in participants.filter(deleted_at__isnull=False).select_related("activity"):
        moments[row.contact_id] |= {row.activity.created_at, row.activity.done_at, row.activity.occurred_at}
    _forget(moments, (), by)


@reacts_to("activity.updated", "activity.deleted")
def update_engagement(activities: QuerySet, by: Actor) -> None:
    """React to changed or deleted activities: remove engagement that did not happen, or not then."""
    if moments := conversation_times(activities, by):
        told = list(_told_by(activities))
        _forget(moments, told, by)
        _keep(told, by)


def _forget(moments: Mapping[int, Collection[Any]], kept: Iterable[NewEngagement], by: Actor) -> None:
    """Remove the engagement of contacts at these times, except `kept`.

    Compared here: a condition per contact is too deep for SQLite from a thousand on.
    """
    rows = EngagementEvent.objects.filter(contact__id__any_of=[*moments], kind__in=KINDS)
    found, stays = rows.values_list("pk", "contact", "kind", "occurred_at") if moments else (), {*kept}
    over = [pk for pk, *event in found if event[-1] in moments[event[0]] and tuple(event) not in stays]
    if over:
        forget(EngagementEvent.objects.filter(pk__any_of=over), "contact.disengaged", by=by)


def _told_by(activities: QuerySet) -> Iterable[NewEngagement]:
    found = activities.filter(contact__isnull=False, kind__in=CONVERSATIONS, deleted_at__isnull=True, automatic=False)
    for activity in with_participants(found.select_related("contact").order_by("pk")):
        if kind := _kind(activity):
            people = people_in(activity) if activity.kind != "email" else [activity.contact_id]
            yield from (NewEngagement(contact, kind, _moment(activity)) for contact in people)


def _kind(activity: Activity) -> str:
    """Return an activity's engagement kind, or ''."""
    if activity.kind == "meeting":
        return "meeting_booked" if activity.status != "cancelled" else ""
    if activity.status != "done":
        return ""
    if activity.kind == "call":
        return "call_connected" if activity.outcome == Activity.CONNECTED else ""
    return "email_reply" if is_from_contact(activity) else ""


def _moment(activity: Activity) -> datetime:
    """Return when it took place; a planned meeting counts from its booking."""
    planned = activity.kind == "meeting" and (activity.done_at is None or activity.done_at > activity.created_at)
    return activity.created_at if planned or activity.occurred_at is None else activity.occurred_at


def _keep(events: Iterable[NewEngagement], by: Actor) -> None:
    """Lock the contacts in id order, as engage() does, and store their events."""
    found = list(events)
    if found:
        held = Contact.objects.filter(pk__any_of=[event.contact for event in found]).order_by("pk")
        list(held.select_for_update(of=("self",)).values_list("pk"))
        store(found, by=by)
