"""Kinds of trigger: the events each responds to, and its description."""

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
from crm.kit import formats
from crm.kit.actor import Channel
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis, all_axes
from crm.records.registry import RECORD_TYPES
from crm.workflows.params import Param, ReferenceKind, Values
from crm.workflows.steps.flow import times

# Events that change no field of the record itself, only its form, or only revert a change.
QUIET = ("undone", "field_converted", "engaged", "disengaged", "deleted", "restored", "absorbed")


@dataclass(frozen=True)
class Occurrence:
    """A recorded event as seen by triggers, from the outbox or from an audit entry."""

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
        """Return the occurrence of an audit entry, for later evaluation, e.g. of an import."""
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
    """A kind of trigger. `sentence(values)` describes one; `values` includes the entity.

    `names(values)`: the candidate events; `fits(values, happening)`: whether a candidate triggers.
    """

    name: str
    label: str
    params: tuple[Param, ...]
    sentence: Callable[[Values], str]
    names: Callable[[Values], list[str]] = lambda values: []
    fits: Callable[[Values, Occurrence], bool] = lambda values, happening: True


def entities() -> list[tuple[str, str]]:
    return [(kind.entity.name, kind.entity.label) for kind in RECORD_TYPES.values() if kind.in_workflows]


def _record(values: Values) -> str:
    return registry.get(values["entity"]).label


def changing(entity: str) -> list[str]:
    """Return the events that may change a field of an entity's records."""
    return [kind.name for kind in all_events() if kind.entity == entity and _suffix(kind) not in QUIET and kind.action]


def _suffix(kind: EventType) -> str:
    return kind.name.partition(".")[2]


# A transition: an axis changes to a value.


def _axes(entity: str) -> list[Axis]:
    return [axis for axis in all_axes() if axis.entity == entity]


def _transitions(entity: str) -> list[tuple[str, str]]:
    return [
        (
            f"{axis.field}={choice.value}",
            gettext("{field} changes to {value}").format(field=axis.label, value=choice.label),
        )
        for axis in _axes(entity)
        for choice in axis.values
    ]


def _transition_sentence(values: Values) -> str:
    field, value = reached(values)
    for axis in _axes(values["entity"]):
        if axis.field == field and value in {choice.value for choice in axis.values}:
            sentence = gettext("When {field} changes to {value} ({record})")
            return sentence.format(field=axis.label, value=axis.value(value).label, record=_record(values))
    return values["to"]


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
    return [(kind.name, str(kind.label)) for kind in own]


def _of_person(kind: EventType) -> bool:
    """Return whether an event is about a contact's related record, e.g. an activity or opportunity."""
    return bool(subject(kind.entity).person) and kind.entity in ("activity", "opportunity", "lead")


# A field changes.


def _watched(entity: str) -> list[tuple[str, str]]:
    axes = {axis.field for axis in _axes(entity)}
    known = [each for each in schema(entity) if each.editable or each.key in axes]
    return [(f"custom.{each.key}" if each.custom else each.key, each.label) for each in known]


# The clock.

EVERY = [
    ("daily", _("Every day")),
    ("0", _("Every Monday")),
    ("1", _("Every Tuesday")),
    ("2", _("Every Wednesday")),
    ("3", _("Every Thursday")),
    ("4", _("Every Friday")),
    ("5", _("Every Saturday")),
    ("6", _("Every Sunday")),
]


def _hours(entity: str) -> list[tuple[str, str]]:
    return [(str(hour), formats.clock(datetime.min.replace(hour=hour))) for hour in range(24)]


def last_slot(values: Values, local: datetime) -> datetime:
    """Return the last due time of a schedule at or before `local` (in the workspace's time zone)."""
    slot = local.replace(hour=int(values["hour"]), minute=0, second=0, microsecond=0)
    if slot > local:
        slot -= timedelta(days=1)
    if values["every"] != "daily":
        slot -= timedelta(days=(slot.weekday() - int(values["every"])) % 7)
    return slot


def _date_sentence(values: Values) -> str:
    field, days = _label(times(values["entity"]), values["field"]), values["days"]
    if values["field"] == "last_activity":
        sentence = ngettext(
            "After {count} day without activity ({record})", "After {count} days without activity ({record})", days
        )
    else:
        sentence = ngettext("{count} day after {field} ({record})", "{count} days after {field} ({record})", days)
    return sentence.format(count=formats.number(days), field=field, record=_record(values))


def _schedule_sentence(values: Values) -> str:
    return gettext("{day} at {time} ({records})").format(
        day=_label(EVERY, values["every"]),
        time=_label(_hours(values["entity"]), values["hour"]),
        records=registry.get(values["entity"]).plural,
    )


KINDS_OF_TRIGGER: dict[str, TriggerKind] = {
    kind.name: kind
    for kind in (
        TriggerKind(
            "transition",
            _("Stage or status changes to…"),
            (Param("to", _("Change"), "select", _transitions),),
            sentence=_transition_sentence,
            names=lambda values: changing(values["entity"]),
            fits=_becomes,
        ),
        TriggerKind(
            "event",
            _("Event occurs"),
            (Param("event", _("Event"), "select", _events),),
            sentence=lambda values: gettext("When “{event}” occurs").format(
                event=_label(_events(values["entity"]), values["event"])
            ),
            names=lambda values: [values["event"]],
        ),
        TriggerKind(
            "field",
            _("Field is updated"),
            (Param("field", _("Field"), "select", _watched, refers=ReferenceKind.FIELD),),
            sentence=lambda values: gettext("When {field} is updated ({record})").format(
                field=_label(_watched(values["entity"]), values["field"]), record=_record(values)
            ),
            names=lambda values: changing(values["entity"]),
            fits=lambda values, happening: (
                values["field"] in happening.old
                and happening.old[values["field"]] != happening.new.get(values["field"])
            ),
        ),
        TriggerKind(
            "schedule",
            _("On a schedule"),
            (
                Param("every", _("Repeat"), "select", lambda entity: EVERY, default="daily"),
                Param("hour", _("Time"), "select", _hours, default="9"),
            ),
            sentence=_schedule_sentence,
        ),
        TriggerKind(
            "date",
            _("Days after a date field"),
            (
                Param("field", _("Date"), "select", times, refers=ReferenceKind.FIELD),
                Param("days", _("Days after"), "number", default="14"),
            ),
            sentence=_date_sentence,
        ),
        TriggerKind(
            "manual",
            _("Run manually"),
            (),
            sentence=lambda values: gettext("When run manually ({record})").format(record=_record(values)),
        ),
        TriggerKind(
            "webhook",
            _("Incoming webhook"),
            (),
            sentence=lambda values: gettext("When a webhook is received ({record})").format(record=_record(values)),
        ),
    )
}


def trigger_kind(trigger: Values) -> TriggerKind:
    return KINDS_OF_TRIGGER[trigger["kind"]]


def names(trigger: Values) -> list[str]:
    """Return the events that a trigger responds to; empty if no event starts its runs."""
    return trigger_kind(trigger).names(trigger)


def fits(trigger: Values, happening: Occurrence) -> bool:
    """Return whether an event from names() triggers a run."""
    return trigger_kind(trigger).fits(trigger, happening)


def waits_for_release(happening: Occurrence) -> bool:
    """Return whether an event starts no runs until an admin releases them: changes by an import."""
    return happening.channel == Channel.IMPORT
