"""Rules for an activity's outcome and time, and what counts as a two-way conversation."""

from collections.abc import Iterable
from datetime import date, datetime
from email.utils import getaddresses, parseaddr
from typing import Any

from django.db.models import QuerySet

from audit.models import Entry
from contacts.activities.participants import people_in, with_participants
from contacts.engagement import check_moment
from contacts.models import Activity
from crm.entities.values import in_range
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.text import email_key
from crm.kit.translation import gettext as _

CONVERSATIONS = ("call", "email", "meeting")
# Fields that decide whether, when and with whom a conversation took place.
TELLING = {"status", "outcome", "occurred_at", "deleted_at", "sender", "recipients"}


def check_outcome(kind: str, status: str, outcome: str) -> None:
    """Raise Invalid unless exactly the completed calls have an outcome."""
    if outcome and kind != "call":
        raise Invalid({"outcome": _("Only a call can have an outcome.")})
    if outcome and outcome not in dict(Activity.OUTCOMES):
        known = ", ".join(str(label) for _value, label in Activity.OUTCOMES)
        sentence = _("“{outcome}” isn’t a call outcome. Choose one of: {outcomes}.")
        raise Invalid({"outcome": sentence.format(outcome=outcome, outcomes=known)})
    if outcome and status == "pending":
        raise Invalid({"outcome": _("A scheduled call has no outcome yet.")})
    if kind == "call" and status == "done" and not outcome:
        raise Invalid({"outcome": _("Choose the outcome of the call.")})


def check_occurred(at: datetime | None) -> None:
    """Raise Invalid for a time in the future, or centuries ago."""
    if at:
        check_in_range("occurred_at", at)
        check_moment(at)


def check_in_range(key: str, at: date | None) -> None:
    """Raise Invalid for a day, or time, that records can't have."""
    if at and not in_range(at.date() if isinstance(at, datetime) else at):
        raise Invalid({key: _("“{text}” isn’t a valid date, e.g. 2026-03-31.").format(text=at.isoformat()[:10])})


def is_from_contact(activity: Activity) -> bool:
    """Return whether an email was sent by its contact."""
    return activity.contact is not None and email_key(parseaddr(activity.sender)[1]) in activity.contact.email_keys


def is_to_contact(activity: Activity) -> bool:
    """Return whether a person emailed the contact; an email without addresses is the logging member's own."""
    if activity.automatic or is_from_contact(activity):
        return False
    own = activity.contact.email_keys if activity.contact else ()
    return not activity.recipients or not {email_key(at) for _, at in getaddresses([activity.recipients])}.isdisjoint(
        own
    )


def two_way_activities(activities: QuerySet) -> Iterable[Activity]:
    """Return those of `activities` in which a member and the contact were in touch (DESIGN 4.3).

    A connected call, a held meeting, a person's email to the contact, and the contact's reply to one. Not a workflow's
    email, an unanswered call, or an unprompted email from the contact. With the participants that addressed() reads.
    """
    done = activities.filter(kind__in=CONVERSATIONS, status="done", deleted_at__isnull=True, automatic=False)
    for activity in with_participants(done.select_related("contact").order_by("occurred_at", "pk")):
        if activity.kind != "email":
            counts = activity.kind == "meeting" or activity.outcome == Activity.CONNECTED
        else:
            counts = is_to_contact(activity) or _is_reply(activity)
        if counts:
            yield activity


def addressed(activity: Activity) -> list[int]:
    """Return the keys of those with whom members were in touch: of a contact's own email only its sender."""
    is_own = activity.kind == "email" and is_from_contact(activity)
    return people_in(activity)[:1] if is_own else people_in(activity)


def _is_reply(activity: Activity) -> bool:
    if not is_from_contact(activity):
        return False
    before = Activity.objects.filter(contact=activity.contact_id, kind="email", status="done", deleted_at__isnull=True)
    sent = before.filter(occurred_at__lt=activity.occurred_at).select_related("contact")
    return any(is_to_contact(mail) for mail in sent)


def activities_with_changed_conversation(activities: QuerySet, by: Actor) -> dict[int, dict[str, Any]]:
    """Map activities, by key, to the old values if this action changed a conversation's existence, time or contact.

    Without those in which it changed something else, as a merge does the contact.
    """
    ids = list(activities.filter(kind__in=CONVERSATIONS).values_list("pk", flat=True))
    entries = Entry.objects.filter(change__unindexed=by.change, entity="activity", entity_id__any_of=ids)
    found = dict(entries.values_list("entity_id", "old_values")) if ids else {}
    return {pk: old for pk, old in found.items() if old and old.keys() & TELLING}


def conversation_times(activities: QuerySet, by: Actor) -> dict[int, set[datetime]]:
    """Map each contact to the times, before and after, of conversations that this action changed."""
    before = activities_with_changed_conversation(activities, by)
    moments: dict[int, set[datetime]] = {}
    rows = with_participants(activities.filter(pk__in=before)) if before else ()
    for activity in rows:
        times = [activity.created_at, activity.done_at, activity.occurred_at]
        earlier = before[activity.pk].get("occurred_at")
        times += [datetime.fromisoformat(earlier)] if earlier else []
        for contact in people_in(activity):
            moments.setdefault(contact, set()).update(at for at in times if at)
    return moments
