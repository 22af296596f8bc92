"""A page of what happened: entries newest first, those of one user action together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.models import Entry

PAGE = 30


@dataclass(frozen=True)
class Action:
    """The entries of one user action that belong to a timeline, the most telling one first."""

    change: UUID
    entries: tuple[Entry, ...]

    @property
    def first(self) -> Entry:
        """The entry that names the action."""
        return self.entries[0]

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self.first.at


def of_person(ids: Sequence[int]) -> QuerySet:
    """Everything that concerns a contact (and those merged into it): its own changes, its activities, its leads."""
    return Entry.objects.filter(person__in=ids)


def of_record(entity: str, pk: int, *also: Q) -> QuerySet:
    """What happened to one record, and to whatever `also` names."""
    wanted = Q(entity=entity, entity_id=pk)
    for other in also:
        wanted |= other
    return Entry.objects.filter(wanted)


def page(entries: QuerySet, before: tuple[datetime, int] | None = None) -> tuple[list[Action], str]:
    """The actions of one page and the cursor of the next ('' at the end). `before`: what `cursor` of a page said."""
    if before:
        at, pk = before
        entries = entries.filter(at__lte=at).filter(Q(at__lt=at) | Q(at=at, id__lt=pk))
    found = list(entries.order_by("-at", "-id")[: PAGE + 1])
    cursor = f"{found[PAGE - 1].at.isoformat()}~{found[PAGE - 1].id}" if len(found) > PAGE else ""
    return _grouped(found[:PAGE]), cursor


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """The place that a cursor names; None for none, and for one that was tampered with."""
    at, _, pk = text.partition("~")
    try:
        return (datetime.fromisoformat(at).astimezone(UTC), int(pk)) if text else None
    except (ValueError, OverflowError):
        return None


def _grouped(entries: list[Entry]) -> list[Action]:
    changes: dict[UUID, list[Entry]] = {}
    for entry in entries:
        changes.setdefault(entry.change, []).append(entry)
    return [Action(change, tuple(sorted(group, key=_weight))) for change, group in changes.items()]


def _weight(entry: Entry) -> tuple[bool, bool, bool, int]:
    """A merge names itself rather than the fields it filled; a move rather than the edit that came with it; a person's
    own change rather than that of an activity. An undo goes backwards, so that its first entry mirrors the last."""
    is_side = entry.action in ("UPDATE", "ASSIGN")
    place = entry.id if entry.action == "UNDO" else -entry.id
    return is_side, entry.entity_id != entry.person, entry.event == "contact.absorbed", place
