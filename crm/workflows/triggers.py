"""What begins a run: the kinds of trigger, which events each answers to, and how it is said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit.models import Entry
from audit.subjects import subject
from crm.entities import registry
from crm.entities.schema import schema
from crm.events.models import Event
from crm.events.registry import EventType, all_events
from crm.kit.actor import Channel
from crm.kit.text import counted
from crm.lifecycle.axes import Axis, all_axes
from crm.records.registry import record_types
from crm.workflows.params import Param, ReferenceKind, Values
from crm.workflows.steps.flow import times

# Events that change no field of the record itself, or only take back what did.
QUIET = ("undone", "engaged", "disengaged", "deleted", "restored", "absorbed")


@dataclass(frozen=True)
class Occurrence:
    """Something that was recorded, as a trigger looks at it: an event of the outbox or an entry of the log."""

    key: str
    name: str
    entity: str
    record_id: int
    person: int | None
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    at: datetime
    change: UUID
    channel: str
    seen: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_event(cls, event: Event) -> "Occurrence":
        return cls(f"event:{event.pk}", event.name, event.entity, event.entity_id, event.person, *_facts(event))

    @classmethod
    def of_entry(cls, entry: Entry) -> "Occurrence":
        """An entry of the log: what is looked at afterwards, such as an import."""
        return cls(f"entry:{entry.pk}", entry.event, entry.entity, entry.entity_id, entry.person, *_facts(entry))

    def record_of(self, entity: str) -> int | None:
        if self.entity == entity:
            return self.record_id
        return self.person if subject(entity).person == "pk" else None


def _facts(row: Event | Entry) -> tuple:
    old, new = row.old_values or {}, row.new_values or {}
    return old, new, row.at, row.change, row.channel, {"old": old, "new": new} if old else {}


@dataclass(frozen=True)
class TriggerKind:
    """A kind of trigger. `sentence(values)` completes "When …" or stands alone; `values` has the entity too.

    `names(values)`: the events that it looks at; `fits(values, happening)`: whether one of those is meant.
    """

    name: str
    label: str
    params: tuple[Param, ...]
    sentence: Callable[[Values], str]
    names: Callable[[Values], list[str]] = lambda values: []
    fits: Callable[[Values, Occurrence], bool] = lambda values, happening: True


def entities() -> list[tuple[str, str]]:
    return [(kind.entity.name, kind.entity.label) for kind in record_types() if kind.in_workflows]


def entity_with_article(entity: str) -> str:
    """A kind of record in a sentence: a contact."""
    name = registry.get(entity).label.lower()
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def changing(entity: str) -> list[str]:
    """The events that may change a field of an entity's records."""
    return [kind.name for kind in all_events() if kind.entity == entity and _suffix(kind) not in QUIET and kind.action]


def _suffix(kind: EventType) -> str:
    return kind.name.partition(".")[2]


# A transition: an axis reaches a value.


def _axes(entity: str) -> list[Axis]:
    return [axis for axis in all_axes() if axis.entity == entity]


def _transitions(entity: str) -> list[tuple[str, str]]:
    return [
        (f"{axis.field}={choice.value}", f"{axis.label} becomes {choice.label}")
        for axis in _axes(entity)
        for choice in axis.values
    ]


def reached(values: Values) -> tuple[str, str]:
    axis, _, value = values["to"].partition("=")
    return axis, value


def _becomes(values: Values, happening: Occurrence) -> bool:
    axis, value = reached(values)
    return happening.new.get(axis) == value and happening.old.get(axis) != value


def _label(choices: list[tuple[str, str]], value: str) -> str:
    return dict(choices).get(value, value)


# Any event.


def _events(entity: str) -> list[tuple[str, str]]:
    person = subject(entity).person == "pk"
    own = [kind for kind in all_events() if kind.action and (kind.entity == entity or (person and _of_person(kind)))]
    return [(kind.name, kind.name.replace(".", ": ").replace("_", " ").capitalize()) for kind in own]


def _of_person(kind: EventType) -> bool:
    """Whether it happens to something of a contact's: an activity, an opportunity."""
    return bool(subject(kind.entity).person) and kind.entity in ("activity", "opportunity", "lead")


# A field changes.


def _watched(entity: str) -> list[tuple[str, str]]:
    axes = {axis.field for axis in _axes(entity)}
    known = [each for each in schema(entity) if each.editable or each.key in axes]
    return [(f"custom.{each.key}" if each.custom else each.key, each.label) for each in known]


# The clock.

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
HOURS = [(str(hour), f"{hour:02}:00") for hour in range(24)]
EVERY = [("daily", "every day")] + [(str(number), f"every {day}") for number, day in enumerate(DAYS)]


def last_slot(values: Values, local: datetime) -> datetime:
    """The last moment at or before `local` (in the workspace's time zone) at which a schedule is due."""
    slot = local.replace(hour=int(values["hour"]), minute=0, second=0, microsecond=0)
    if slot > local:
        slot -= timedelta(days=1)
    if values["every"] != "daily":
        slot -= timedelta(days=(slot.weekday() - int(values["every"])) % 7)
    return slot


def _date_sentence(values: Values) -> str:
    name = _label(times(values["entity"]), values["field"])
    if values["field"] == "last_activity":
        return f"When {entity_with_article(values['entity'])} has had no activity for {counted(values['days'], 'days')}"
    return f"{counted(values['days'], 'days')} after {name} of {entity_with_article(values['entity'])}"


KINDS_OF_TRIGGER: dict[str, TriggerKind] = {
    kind.name: kind
    for kind in (
        TriggerKind(
            "transition",
            "A stage or status is reached",
            (Param("to", "What", "select", _transitions),),
            sentence=lambda values: (
                f"When {_label(_transitions(values['entity']), values['to'])} "
                f"({registry.get(values['entity']).label.lower()})"
            ),
            names=lambda values: changing(values["entity"]),
            fits=_becomes,
        ),
        TriggerKind(
            "event",
            "Something happens",
            (Param("event", "Event", "select", _events),),
            sentence=lambda values: f"On the event “{_label(_events(values['entity']), values['event'])}”",
            names=lambda values: [values["event"]],
        ),
        TriggerKind(
            "field",
            "A field changes",
            (Param("field", "Field", "select", _watched, refers=ReferenceKind.FIELD),),
            sentence=lambda values: (
                f"When {_label(_watched(values['entity']), values['field'])} "
                f"of {entity_with_article(values['entity'])} changes"
            ),
            names=lambda values: changing(values["entity"]),
            fits=lambda values, happening: (
                values["field"] in happening.old
                and happening.old[values["field"]] != happening.new.get(values["field"])
            ),
        ),
        TriggerKind(
            "schedule",
            "By the clock",
            (
                Param("every", "When", "select", lambda entity: EVERY, default="daily"),
                Param("hour", "At", "select", lambda entity: HOURS, default="9"),
            ),
            sentence=lambda values: (
                f"{_label(EVERY, values['every']).capitalize()} at {_label(HOURS, values['hour'])}, "
                f"for each {registry.get(values['entity']).label.lower()}"
            ),
        ),
        TriggerKind(
            "date",
            "Some days after a date",
            (
                Param("field", "Date", "select", times, refers=ReferenceKind.FIELD),
                Param("days", "Days after it", "number", default="14"),
            ),
            sentence=_date_sentence,
        ),
        TriggerKind(
            "manual",
            "By hand",
            (),
            sentence=lambda values: f"When somebody starts it on {entity_with_article(values['entity'])}",
        ),
        TriggerKind(
            "webhook",
            "A webhook comes in",
            (),
            sentence=lambda values: f"When a signed webhook names {entity_with_article(values['entity'])}",
        ),
    )
}


def trigger_kind(trigger: Values) -> TriggerKind:
    return KINDS_OF_TRIGGER[trigger["kind"]]


def names(trigger: Values) -> list[str]:
    """The events that a trigger answers to; none where it is no event that begins a run."""
    return trigger_kind(trigger).names(trigger)


def fits(trigger: Values, happening: Occurrence) -> bool:
    """Whether what happened, one of the events that the trigger answers to, is what it waits for."""
    return trigger_kind(trigger).fits(trigger, happening)


def waits_for_release(happening: Occurrence) -> bool:
    """Whether nothing runs by itself after it: an import asks first."""
    return happening.channel == Channel.IMPORT
