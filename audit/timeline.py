"""Timeline pages: user actions newest first, each with its entries."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, When, Window
from django.db.models.functions import RowNumber

from audit.models import Entry
from audit.subjects import person_subject
from crm.kit.compiled_queries import run_cached

PAGE = 30  # actions
COLUMNS = [field.attname for field in Entry._meta.concrete_fields]
MOST = 100  # entries read per action: a merge may move thousands of activities


@dataclass(frozen=True)
class Action:
    """The entries of one user action in a timeline, the most significant first.

    Above MOST, only those of the timeline's own record; `counts` is the number by kind.
    """

    change: UUID
    entries: tuple[Entry, ...]
    counts: Mapping[str, int]

    @property
    def first(self) -> Entry:
        return self.entries[0]

    @property
    def at(self) -> datetime:
        return self.first.at


def of_person(ids: Any) -> QuerySet:
    """Filter to entries of a contact and those merged into it: own changes, activities, leads.

    `ids` in any_of format.
    """
    return Entry.objects.filter(person__any_of=ids)


def of_record(entity: str, pk: Any, *also: Q) -> QuerySet:
    """Filter to entries of one record, or matching `also`."""
    wanted = Q(entity=entity, entity_id=pk)
    for other in also:
        wanted |= other
    return Entry.objects.filter(wanted)


@dataclass(frozen=True)
class Timeline:
    """A timeline's query: `entries(**values)` returns its entries, with annotations called `names`.

    `key` and `values` as in run_cached().
    """

    key: Hashable
    entries: Callable[..., QuerySet]
    names: tuple[str, ...]
    values: Mapping[str, Any]


def page(timeline: Timeline, before: tuple[datetime, int] | None = None) -> tuple[list[Action], str]:
    """Return one page of actions and the cursor of the next ('' at the end). `before`: a parsed cursor.

    An action is placed by its newest entry, on one page only. This needs a grouping of all entries: those of one
    record, by an index.
    """
    place: dict[str, Any] = {"before_at": before[0], "before_id": before[1]} if before else {}

    def build(before_at: Any = None, before_id: Any = None, **given: Any) -> QuerySet:
        found = timeline.entries(**given).values("change").annotate(latest=Max("at"), newest=Max("id"), first=Min("at"))
        if before_at is not None:
            found = found.filter(Q(latest__lt=before_at) | Q(latest=before_at, newest__lt=before_id))
        return found.order_by("-latest", "-newest").values_list("change", "latest", "newest", "first")[: PAGE + 1]

    changes = [Change(*row) for row in run_cached(("changes", timeline.key), build, **place, **timeline.values)]
    last = changes[:PAGE][-1] if changes else None
    cursor = f"{last.latest.isoformat()}~{last.newest}" if last and len(changes) > PAGE else ""
    return _actions(timeline, changes[:PAGE]), cursor


class Change(NamedTuple):
    """A user action: times of its first and latest entry, and the newest entry's key."""

    change: UUID
    latest: datetime
    newest: int
    first: datetime


def _actions(timeline: Timeline, changes: list[Change]) -> list[Action]:
    if not changes:
        return []
    # A fixed number, for a fixed statement: the last fills the missing places.
    wanted = [changes[min(place, len(changes) - 1)].change for place in range(PAGE)]

    def build(since: Any, until: Any, **given: Any) -> QuerySet:
        own_first = Case(When(entity=person_subject().entity, entity_id=F("person"), then=0), default=1)
        rank = Window(RowNumber(), partition_by="change", order_by=[own_first, "-at", "-id"])
        alike = Window(Count("id"), partition_by=["change", "entity"])
        sought = [given.pop(f"change_{place}") for place in range(PAGE)]
        # The times keep to the timeline's index; the change of an import may have a million entries.
        read = timeline.entries(**given).filter(change__in=sought, at__range=(since, until))
        found = read.annotate(rank=rank, alike=alike).filter(rank__lte=MOST)
        return found.values_list(*COLUMNS, "alike", *timeline.names)

    span: dict[str, Any] = {"since": min(each.first for each in changes), "until": max(each.latest for each in changes)}
    numbered: dict[str, Any] = {f"change_{place}": change for place, change in enumerate(wanted)}
    groups: dict[UUID, tuple[list[Entry], dict[str, int]]] = {each.change: ([], {}) for each in changes}
    for row in run_cached(("actions", timeline.key), build, **span, **numbered, **timeline.values):
        entry = _entry(row, timeline.names)
        group, counts = groups[entry.change]
        group.append(entry)
        counts[entry.entity] = row[len(COLUMNS)]
    return [Action(change, tuple(sorted(group, key=_weight)), counts) for change, (group, counts) in groups.items()]


def _entry(row: tuple, names: Sequence[str]) -> Entry:
    entry = Entry.from_db(None, COLUMNS, row[: len(COLUMNS)])
    for name, value in zip(names, row[len(COLUMNS) + 1 :], strict=True):
        setattr(entry, name, value)
    return entry


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """Parse a cursor; '' gives None. Raises BadRequest if it was tampered with."""
    at, _, pk = text.partition("~")
    try:
        place = (datetime.fromisoformat(at).astimezone(UTC), int(pk)) if text else None
    except (ValueError, OverflowError):
        place = None
    if text and (place is None or not 0 <= place[1] < 2**63):
        raise BadRequest("This is no place in the list.")  # not a text
    return place


def _weight(entry: Entry) -> tuple[bool, bool, bool, int]:
    """Rank a merge above the fields it filled, a move above its edits, a contact's change above an activity's. An undo
    is ranked in reverse, so that its first entry mirrors the last.
    """
    is_side = entry.action in ("UPDATE", "ASSIGN")
    is_own = entry.entity == person_subject().entity and entry.entity_id == entry.person
    place = entry.id if entry.action == "UNDO" else -entry.id
    return is_side, not is_own, entry.event.endswith(".absorbed"), place
