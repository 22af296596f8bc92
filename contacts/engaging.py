"""What contacts do as other verbs tell it: calls that reached them, meetings, their mails."""

from collections.abc import Iterable
from email.utils import parseaddr

from django.db.models import Q, QuerySet

from contacts.engagement import Engaged, forget, store
from contacts.models import Activity, Contact, EngagementEvent
from crm.kit.actor import Actor
from crm.kit.text import email_key

# Outcomes of calls in which nobody was spoken to.
NOT_REACHED = {"no answer", "left a message", "voicemail", "busy", "wrong number"}


def from_activities(activities: QuerySet, by: Actor) -> None:
    """Reaction to activities that were logged or planned, or came back by an undo."""
    _keep(_told_by(activities), by)


def from_completed(activities: QuerySet, by: Actor) -> None:
    """Reaction to planned activities that were done now: a meeting counted when it was planned."""
    _keep(_told_by(activities.exclude(kind="meeting")), by)


def from_cancelled(activities: QuerySet, by: Actor) -> None:
    """Reaction to activities that were changed or deleted: what did not take place shows no interest."""
    over = activities.filter(Q(status="cancelled") | Q(deleted_at__isnull=False), kind__in=("call", "meeting", "email"))
    told = Q()
    for contact, created_at, done_at in over.values_list("contact", "created_at", "done_at"):
        told |= Q(contact=contact, occurred_at__in=[at for at in (created_at, done_at) if at])
    if told:
        kinds = ("call_connected", "meeting_booked", "email_reply")
        forget(EngagementEvent.objects.filter(told, kind__in=kinds), "contact.disengaged", by=by)


def _told_by(activities: QuerySet) -> Iterable[Engaged]:
    found = activities.filter(contact__isnull=False, kind__in=("call", "meeting", "email"), deleted_at__isnull=True)
    for activity in found.select_related("contact").order_by("pk"):
        if kind := _kind(activity):
            at = activity.created_at if activity.status == "pending" else activity.done_at
            yield Engaged(activity.contact_id, kind, at)


def _kind(activity: Activity) -> str:
    """The event that an activity is, '' for none."""
    if activity.kind == "meeting":
        return "meeting_booked" if activity.status != "cancelled" else ""
    if activity.status != "done":
        return ""
    if activity.kind == "call":
        return "" if activity.outcome.strip().lower() in NOT_REACHED else "call_connected"
    own = activity.contact.email_key if activity.contact else ""
    return "email_reply" if own and own == email_key(parseaddr(activity.sender)[1]) else ""


def _keep(events: Iterable[Engaged], by: Actor) -> None:
    """Lock the contacts, as engage() does, in the order of their ids."""
    found = list(events)
    if found:
        held = Contact.objects.filter(pk__any_of=[event.contact for event in found]).order_by("pk")
        list(held.select_for_update(of=("self",)).values_list("pk"))
        store(found, by=by)
