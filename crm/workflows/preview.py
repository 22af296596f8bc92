"""Preview of a workflow: records that match now, and runs it would have had, from the audit log.

The log gives a record's values at any time: the condition is evaluated on the row with those values. Linked records are
read with their current values. Nothing is changed.

Why: docs/decisions/0017-preview-reads-the-log.md
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.models import Entry
from crm.conditions.compile import Viewer
from crm.entities.placeholders import PLACE, render
from crm.entities.registry import get
from crm.entities.values import zone
from crm.kit import clock
from crm.kit.actor import Actor
from crm.records.registry import RECORD_TYPES
from crm.workflows import triggers
from crm.workflows.active_workflows import ActiveWorkflow
from crm.workflows.as_of import met_condition_as_of, previous_values
from crm.workflows.definition import Definition
from crm.workflows.jobs import dated_due, scheduled_due
from crm.workflows.start_runs import matching_records
from crm.workflows.steps import step_kind
from crm.workflows.triggers import Occurrence, fits, reached, waits_for_release

WINDOWS = (7, 30, 90)  # days
MOST = 1000  # log entries evaluated
SHOWN = 20


@dataclass(frozen=True)
class PreviewedRun:
    """A hypothetical run: its time, record and step effects."""

    at: datetime
    record: Any
    effects: list[str]


@dataclass(frozen=True)
class Preview:
    """The effects of a definition. `counts`: runs by window in days, None for manual triggers.

    `is_whole`: whether the longest window was covered completely.
    """

    now: int
    counts: dict[int, int] | None
    runs: list[PreviewedRun]
    is_whole: bool = True


def preview(definition: Definition, condition: Any, by: Actor) -> Preview:
    """Return what a validated definition, its condition parsed, would do in the workspace in scope."""
    each = ActiveWorkflow(0, "", "", 0, by.member_id or 0, definition.trigger, condition)
    now = clock.now()
    fitting = matching_records(each, now)
    if definition.trigger["kind"] == "transition":
        axis, value = reached(definition.trigger)
        fitting = fitting.filter(**{axis: value})
    found, is_whole = _found(each, now)
    counts = {days: sum(at > now - timedelta(days=days) for at, _ in found) for days in WINDOWS}
    by_hand = definition.trigger["kind"] in ("manual", "webhook")
    runs = [] if by_hand else list(_shown(definition, found[:SHOWN]))
    return Preview(fitting.count(), None if by_hand else counts, runs, is_whole)


def _found(each: ActiveWorkflow, now: datetime) -> tuple[list[tuple[datetime, int]], bool]:
    """Return (time, record) of each hypothetical run in the longest window, newest first."""
    since = now - timedelta(days=max(WINDOWS))
    if each.trigger["kind"] == "schedule":
        return _slots(each, since, now), True
    if each.trigger["kind"] == "date":
        due = dated_due(each, since, now)
        days = timedelta(days=each.trigger["days"])
        return sorted(((_moment(item.seen["date"]) + days, item.record_id) for item in due), reverse=True), True
    entries = list(_entries(each, since)[: MOST + 1])
    asked = [(entry, pk) for entry in entries[:MOST] if (pk := _meant(each, entry))]
    return [(entry.at, pk) for entry, pk in asked if _was_so(each, entry, pk)], len(entries) <= MOST


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone())


def _slots(each: ActiveWorkflow, since: datetime, now: datetime) -> list[tuple[datetime, int]]:
    found, at = [], now
    while due := scheduled_due(each, since, at):
        slot = datetime.fromisoformat(due[0].key.split(":", 1)[1].rpartition(":")[0])
        found += [(slot, item.record_id) for item in due]
        at = slot - timedelta(seconds=1)
    return found


def _entries(each: ActiveWorkflow, since: datetime) -> Any:
    rows = Entry.objects.filter(at__gt=since, event__in=triggers.names(each.trigger))
    if each.trigger["kind"] == "transition":
        axis, value = reached(each.trigger)
        rows = rows.filter(**{f"new_values__{axis}": value})
    if each.trigger["kind"] == "field":
        rows = rows.filter(old_values__has_key=each.trigger["field"])
    return rows.order_by("-at", "-id")


def _meant(each: ActiveWorkflow, entry: Entry) -> int | None:
    """Return the record of the run that an entry would start, or None."""
    happening = Occurrence.of_entry(entry)
    return (
        happening.record_of(each.entity) if fits(each.trigger, happening) and not waits_for_release(happening) else None
    )


def _was_so(each: ActiveWorkflow, entry: Entry, pk: int) -> bool:
    """Return whether the record existed and met the condition at the time of the change."""
    later = Entry.objects.filter(entity=each.entity, entity_id=pk, pk__gt=entry.pk).exclude(change=entry.change)
    old = later.order_by("-pk").values_list("old_values", flat=True)
    return met_condition_as_of(
        RECORD_TYPES[each.entity].model, pk, previous_values(old), each.condition, Viewer(), entry.at
    )


def _shown(definition: Definition, found: Sequence[tuple[datetime, int]]) -> Iterator[PreviewedRun]:
    records = get(definition.entity).model.objects.in_bulk([pk for _, pk in found])
    for at, pk in found:
        if pk in records:
            yield PreviewedRun(at, records[pk], effects(definition, pk))


def effects(definition: Definition, pk: int) -> list[str]:
    """Return what each step would do with a record, using its current values."""
    told = []
    for step in definition.steps:
        kind = step_kind(step["kind"])
        if kind and kind.name != "end":
            filled = {key: _filled(value, definition.entity, pk) for key, value in step.items()}
            told.append(kind.sentence(filled, definition.entity))
    return told


def _filled(value: Any, entity: str, pk: int) -> Any:
    return render(value, entity, pk) if isinstance(value, str) and PLACE.search(value) else value
