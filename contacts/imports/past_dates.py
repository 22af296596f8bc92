"""Backdating of contacts: imported without dates they date from today, until a file has older facts."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import F

from audit.models import Entry
from audit.record import LogRow, record_rows
from audit.values import to_log
from contacts.axes import LIFECYCLE
from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.sql import update_rows

MARGIN = timedelta(hours=1)  # a batch takes less; a file that dates a contact so closely loses nothing
DATES = ("created_at", "lifecycle_stage_since", "status_since", "last_activity")


class PastDates(NamedTuple):
    """A file's dates for a contact: the earliest of all, and the first purchase."""

    earliest: datetime
    won: datetime | None


def backdate_contacts(told: Mapping[int, PastDates], by: Actor) -> list[int]:
    """Backdate locked contacts that an import created without a date to the earliest fact; return their keys."""
    facts, rows = [], []
    for contact in Contact.objects.filter(pk__any_of=_undated(told)).order_by("pk"):
        changes = _changes(contact, told[contact.pk])
        if changes:
            old = {key: to_log(getattr(contact, key)) for key in changes}
            facts.append(LogRow(contact.pk, contact.pk, old, {key: to_log(value) for key, value in changes.items()}))
            dates = (changes.get(key, getattr(contact, key)) for key in DATES)
            rows.append((contact.pk, *dates, contact.version + 1, clock.now()))
    if rows:
        update_rows(Contact, [*DATES, "version", "updated_at"], rows)
        record_rows("contact.updated", facts, by=by)
    return [fact.pk for fact in facts]


def _undated(contacts: Iterable[int]) -> list[int]:
    """Return contacts whose creation date is the import's own time."""
    made = Entry.objects.filter(event="contact.created", entity="contact", entity_id__any_of=list(contacts))
    made = made.filter(channel="import", at__gte=F("recorded_at") - MARGIN)
    return list(made.values_list("entity_id", flat=True))


def _changes(contact: Contact, told: PastDates) -> dict[str, Any]:
    before = contact.created_at
    changes = {}
    if told.earliest < before:
        changes = {key: told.earliest for key in DATES if getattr(contact, key) == before}
    if contact.lifecycle_stage == "customer" and told.won and _stands_since_creation(contact):
        changes[LIFECYCLE.since] = told.won
    return {key: value for key, value in changes.items() if value != getattr(contact, key)}


def _stands_since_creation(contact: Contact) -> bool:
    return contact.lifecycle_stage_since == contact.created_at
