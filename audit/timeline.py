"""A page of what happened: user actions newest first, each with its entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, When, Window
from django.db.models.functions import RowNumber

from audit.models import Entry
from audit.subjects import people

PAGE = 30  # actions
MOST = 100  # entries of one action that are read: a merge may move thousands of activities


@dataclass(frozen=True)
class Action:
    """The entries of one user action that belong to a timeline, the most telling one first.

    Of more than MOST, those of the timeline's own record are here; `counts` says how many there are of each kind.
    """

    change: UUID
    entries: tuple[Entry, ...]
    counts: Mapping[str, int]

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
    """The actions of one page and the cursor of the next ('' at the end). `before`: what `cursor` of a page said.

    An action stands where its newest entry does, and on no other page. To know that, all entries are grouped: those
    of one record, by an index.
    """
    found = entries.values("change").annotate(latest=Max("at"), newest=Max("id"), first=Min("at"))
    if before:
        at, pk = before
        found = found.filter(Q(latest__lt=at) | Q(latest=at, newest__lt=pk))
    changes = list(found.order_by("-latest", "-newest")[: PAGE + 1])
    last = changes[:PAGE][-1] if changes else None
    cursor = f"{last['latest'].isoformat()}~{last['newest']}" if last and len(changes) > PAGE else ""
    return _actions(entries, changes[:PAGE]), cursor


def _actions(entries: QuerySet, changes: list[dict]) -> list[Action]:
    if not changes:
        return []
    # The times keep to the timeline's index; a change alone may have a million entries, of everybody it imported.
    span = (min(row["first"] for row in changes), max(row["latest"] for row in changes))
    own_first = Case(When(entity=people().entity, entity_id=F("person"), then=0), default=1)
    rank = Window(RowNumber(), partition_by="change", order_by=[own_first, "-at", "-id"])
    alike = Window(Count("id"), partition_by=["change", "entity"])
    read = entries.filter(change__in=[row["change"] for row in changes], at__range=span)
    groups: dict[UUID, tuple[list[Entry], dict[str, int]]] = {row["change"]: ([], {}) for row in changes}
    for entry in read.annotate(rank=rank, alike=alike).filter(rank__lte=MOST):
        group, counts = groups[entry.change]
        group.append(entry)
        counts[entry.entity] = entry.alike
    return [Action(change, tuple(sorted(group, key=_weight)), counts) for change, (group, counts) in groups.items()]


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """The place that a cursor names; None for none. Raises BadRequest for one that was tampered with."""
    at, _, pk = text.partition("~")
    try:
        place = (datetime.fromisoformat(at).astimezone(UTC), int(pk)) if text else None
    except (ValueError, OverflowError):
        place = None
    if text and (place is None or not 0 <= place[1] < 2**63):
        raise BadRequest("This is no place in the list.")
    return place


def _weight(entry: Entry) -> tuple[bool, bool, bool, int]:
    """A merge names itself rather than the fields it filled; a move rather than the edit that came with it; a person's
    own change rather than that of an activity. An undo goes backwards, so that its first entry mirrors the last."""
    is_side = entry.action in ("UPDATE", "ASSIGN")
    is_own = entry.entity == people().entity and entry.entity_id == entry.person
    place = entry.id if entry.action == "UNDO" else -entry.id
    return is_side, not is_own, entry.event == "contact.absorbed", place
