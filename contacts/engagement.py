"""Engagement: contacts' actions that show interest. Each is stored once, and listeners run in the same transaction.

Why: docs/decisions/0036-engagement-has-its-own-log.md
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import ngettext_lazy

from audit.record import LogRow, record, record_rows
from contacts.activities.last_activity import recompute
from contacts.models import Contact, EngagementEvent
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.registry import Hook
from crm.kit.sql import as_stored, insert_new, next_ids, update_rows
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

AHEAD = timedelta(minutes=5)  # tolerated clock difference


@dataclass(frozen=True)
class EventKind:
    """A kind of engagement: its label, and its singular and plural in a sentence.

    `aliases` are former labels that conditions and files may still use.
    """

    label: str
    named: Any  # from ngettext_lazy()
    aliases: tuple[str, ...] = ()

    def counted(self, count: int) -> str:
        """Return the count as text: “demo request”, “9 emails opened”."""
        return self.named.format(count=count, number=formats.number(count))


KINDS = {
    "demo_request": EventKind(_("Demo request"), ngettext_lazy("demo request", "{number} demo requests", "count")),
    "meeting_booked": EventKind(
        _("Meeting booked"), ngettext_lazy("meeting booked", "{number} meetings booked", "count")
    ),
    "email_reply": EventKind(_("Email reply"), ngettext_lazy("email reply", "{number} email replies", "count")),
    "call_connected": EventKind(
        _("Call connected"), ngettext_lazy("call connected", "{number} calls connected", "count")
    ),
    "form_submitted": EventKind(
        _("Form submitted"), ngettext_lazy("form submitted", "{number} forms submitted", "count")
    ),
    "pricing_viewed": EventKind(
        _("Pricing viewed"), ngettext_lazy("pricing viewed", "{number} pricing views", "count")
    ),
    "webinar_attended": EventKind(
        _("Webinar attended"), ngettext_lazy("webinar attended", "{number} webinars attended", "count")
    ),
    "content_download": EventKind(
        _("Content download"), ngettext_lazy("content download", "{number} content downloads", "count")
    ),
    "email_clicked": EventKind(
        _("Email link clicked"),
        ngettext_lazy("email link clicked", "{number} email links clicked", "count"),
        aliases=("Link in an e-mail clicked",),  # not a text
    ),
    "page_viewed": EventKind(_("Page viewed"), ngettext_lazy("page viewed", "{number} pages viewed", "count")),
    "email_opened": EventKind(_("Email opened"), ngettext_lazy("email opened", "{number} emails opened", "count")),
    "unsubscribed": EventKind(_("Unsubscribed"), ngettext_lazy("unsubscribed", "unsubscribed {number} times", "count")),
}


class NewEngagement(NamedTuple):
    """An action by a contact (given by primary key)."""

    contact: int
    kind: str
    at: datetime


Listener = Callable[[QuerySet[EngagementEvent], Actor], None]
# Called as hook(events, by) with newly stored events, in the same transaction.
on_engaged: Hook[Listener] = Hook()


def check_moment(at: datetime) -> None:
    """Raise Invalid for a future time."""
    if at > clock.now() + AHEAD:
        raise Invalid({"occurred_at": gettext("{moment} is in the future.").format(moment=formats.moment(at))})


def store(events: Sequence[NewEngagement], *, by: Actor) -> list[int]:
    """Store events of contacts locked by the caller, record them, call listeners; return the new ids.

    The locks come first, so that a concurrently created lead counts each event once.
    """
    if not events:
        return []
    ids = next_ids(EngagementEvent, len(events))
    now = as_stored(clock.now())
    rows = [(pk, e.contact, e.kind, as_stored(e.at), now) for pk, e in zip(ids, events, strict=True)]
    names = ("id", "contact_id", "kind", "occurred_at", "recorded_at")
    insert_new(EngagementEvent, names, rows, {"change": by.change})
    stored = EngagementEvent.objects.filter(pk__any_of=ids)
    stored_ids = set(stored.values_list("pk", flat=True))
    new = [event for pk, event in zip(ids, events, strict=True) if pk in stored_ids]
    if new:
        _touch(new, by)
        for listener in on_engaged:
            listener(stored, by)
    return sorted(stored_ids)


def _touch(events: Iterable[NewEngagement], by: Actor) -> None:
    """Update the contacts' last engagement and record it, one entry each with counts by kind.

    The entry has the event's time and no changed columns: engagement times are read from the events.
    """
    latest: dict[int, datetime] = {}
    done: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for event in events:
        latest[event.contact] = max(event.at, latest.get(event.contact, event.at))
        done[event.contact][event.kind] += 1
    people = Contact.objects.filter(pk__any_of=list(latest)).values_list("pk", "last_engagement", "last_activity")
    facts, rows = [], []
    for pk, engaged, active in people:
        at = latest[pk]
        facts.append(LogRow(pk, pk, {}, {"engagement": dict(done[pk])}, as_stored(min(at, clock.now()))))
        rows.append((pk, max(at, engaged or at), max(at, active)))
    update_rows(Contact, ("last_engagement", "last_activity"), rows)
    record_rows("contact.engaged", facts, by=by)


def forget(events: QuerySet[EngagementEvent], event: str, *, by: Actor, note: str = "") -> int:
    """Delete events that did not happen, recorded as `event` of their contacts; return how many."""
    people = sorted(set(events.values_list("contact", flat=True)))
    if not people:
        return 0
    rows = Contact.objects.filter(pk__any_of=people)
    list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    count, _ = events.delete()
    recompute(people)
    record(event, rows, by=by, note=note)
    return count


def sentence(done: Mapping[str, int]) -> str:
    """Return the counts as text: “demo request, 9 emails opened”."""
    known = sorted(((KINDS[kind], count) for kind, count in done.items() if kind in KINDS), key=_order)
    return ", ".join(kind.counted(count) for kind, count in known)


def _order(told: tuple[EventKind, int]) -> int:
    return list(KINDS.values()).index(told[0])
