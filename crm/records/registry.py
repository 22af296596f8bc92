"""The kinds of record. An app declares each of its own once, as a RecordType in its module `records`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.urls import URLPattern
from django.utils.safestring import SafeString

from audit import subjects
from crm.entities import registry as entities
from crm.entities.fields import Field
from crm.entities.registry import Entity, entity_of
from crm.events.registry import EventType, declare
from crm.kit import nav
from crm.kit.actor import Actor
from crm.kit.nav import NavItem
from crm.kit.outcome import Outcome
from crm.kit.registry import Registry
from crm.lifecycle import axes, condition_fields, definitions
from crm.lifecycle.axes import Axis, Move
from crm.lifecycle.definitions import Definition
from crm.lists import board as boards
from crm.lists import spec as lists
from crm.lists.board import Board
from crm.lists.imports import registry as imports
from crm.lists.imports.registry import Importer, Relation
from crm.lists.spec import ListSpec
from crm.records import panels
from crm.records.models import Record
from crm.users.visibility import Locked, RecordQuerySet

Verb = Callable[..., Outcome]  # (rows, *, by, **answers)
Form = Callable[[Any, Any, Actor], forms.Form]  # (data or None, record, by) → what the verb asks


def no_context(record: Any, by: Actor, editable: bool) -> dict[str, Any]:
    """A page that shows no more than every record's does."""
    return {}


def leave(locked: Locked, changes: Mapping[str, Any]) -> None:
    """Nothing more to check."""


def as_given(rows: RecordQuerySet, changes: dict[str, Any]) -> dict[str, Any]:
    """Nothing follows from a change."""
    return changes


@dataclass(frozen=True, kw_only=True)
class RecordType:
    """All that the product knows of a kind of record. What has a default may be left out.

    Its fields and its history:
    `entity` declares its name and fields; `gives` the fields that other entities have through it. `events` are what
    can happen to it (see record_events()); `person` is the path to the contact whose timeline tells of it; `following`
    and `set_by_moves` are as in audit.subjects.Subject.

    What it goes through:
    `axes` are the fields that only moves change; `definitions` say what their values mean, or those of other axes.
    `verbs` are those of its moves by name, called as verb(rows, by=…, **answers), with the answers that `forms`, or
    else the move itself, asks for; `ledes` say on that page what comes of them, and may name {record}. `form_axis` is
    the axis that the forms of new and edited records offer as well.

    Its other verbs:
    `create(values, by=…)` makes some; `check_edit(locked, changes)` refuses or raises; `complete(rows, changes)` adds
    what follows from an edit; `hold_in_trash(locked)` refuses those that may not come back.

    The page of one:
    `template` extends records/record.html, with `head` and `page(record, by, editable)` as further context;
    `head_template` shows the head again after a fact was edited, which may open or close a move. `related` are the
    links that it follows. `timeline(record, by, before)`: see contacts.timeline. `about(record)`: whom an activity
    written there is about, as log() takes it. `name(record)`: what a message calls it. `hint`: the column that tells
    namesakes apart. `asked_once`: fields of new records that nobody edits. `panels`: beside whose records it is shown,
    by panel(record, request).

    The pages of many:
    `list`, `board` and `nav`. `found` is the template by which the search over everything shows it; '' when it does
    not look. `importer` and `relations`: how rows of a file become records; `files`: which pages there are for that.
    `urls` are further
    pages; `gate` wraps each of the URLs that every kind has. `in_workflows`: whether workflows can be about it.
    """

    entity: Entity
    create: Verb
    timeline: Callable[..., tuple[list, list, str]]
    list: ListSpec
    events: Sequence[EventType]
    gives: Mapping[str, Sequence[Field]] = field(default_factory=dict)
    person: str = ""
    following: Sequence[str] = ()
    set_by_moves: Sequence[str] = ()
    axes: Sequence[Axis] = ()
    definitions: Mapping[Axis, Mapping[str, Definition]] = field(default_factory=dict)
    verbs: Mapping[str, Verb] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    ledes: Mapping[str, str] = field(default_factory=dict)
    form_axis: Axis | None = None
    check_edit: Callable[[Locked, Mapping[str, Any]], None] = leave
    complete: Callable[[Any, dict[str, Any]], dict[str, Any]] = as_given
    hold_in_trash: Callable[[Locked], None] = lambda locked: None
    template: str = "records/record.html"
    head_template: str = ""
    head: Callable[[Any, Actor, bool], dict[str, Any]] = no_context
    page: Callable[[Any, Actor, bool], dict[str, Any]] = no_context
    related: tuple[str, ...] = ("owner__user", "team")
    about: Callable[[Any], dict[str, int]] = lambda record: {}
    name: Callable[[Any], str] = str
    hint: str = "public_id"
    asked_once: tuple[str, ...] = ()
    found: str = ""
    panels: Mapping[str, Callable[..., SafeString]] = field(default_factory=dict)
    board: Board | None = None
    nav: Sequence[NavItem] = ()
    importer: type[Importer] | None = None
    relations: Sequence[Relation] = ()
    files: Sequence[str] = ("import", "export")
    urls: Sequence[URLPattern] = ()
    gate: Callable[[URLPattern], URLPattern] = lambda route: route
    in_workflows: bool = True

    @property
    def model(self) -> type[Record]:
        """The Django model of the records."""
        return self.entity.model

    def axis_of(self, verb: str) -> Axis:
        """The axis along which `verb` moves. Raises KeyError."""
        return {move.verb: axis for axis in self.axes for move in axis.moves}[verb]

    def stands(self, record: Record) -> str:
        """Where a record stands, in words: along each axis that only moves change."""
        fixed = (axis for axis in self.axes if not self.entity.fields[axis.field].editable)
        return ", ".join(axis.value(getattr(record, axis.field)).label for axis in fixed)

    def offered_verbs(self) -> Iterable[tuple[Axis, Move]]:
        """Its moves that a person makes, with their axes."""
        return [(axis, move) for axis in self.axes for move in axis.moves if move.verb in self.verbs]


_types: Registry[RecordType] = Registry("kind of record")


def register(kind: RecordType) -> RecordType:
    """Make a kind of record known, and hand its parts to what works with them. Raises ValueError for one known."""
    _types.add(kind.entity.name, kind)
    entities.register(kind.entity)
    for entity, fields in kind.gives.items():
        entities.get(entity).add(*fields)
    _register_history(kind)
    _register_pages(kind)
    return kind


def _register_history(kind: RecordType) -> None:
    fixed = [axis.field for axis in kind.axes if not kind.entity.fields[axis.field].editable]
    since = [axis.since for axis in kind.axes]
    entity = kind.entity
    subjects.register(entity.name, entity.model_label, kind.person, [*since, *kind.following], fixed, kind.set_by_moves)
    declare(*kind.events)
    for axis in kind.axes:
        axes.register(axis)
        condition_fields.declare(axis)
    for axis, meanings in kind.definitions.items():
        definitions.ship(axis, meanings)


def _register_pages(kind: RecordType) -> None:
    lists.register(kind.list)
    if kind.board:
        boards.register(kind.board)
    for item in kind.nav:
        nav.register(item)
    for entity, panel in kind.panels.items():
        panels.register(entity, panel)
    if kind.importer:
        imports.register(kind.importer)
    for relation in kind.relations:
        imports.relate(kind.entity.name, relation)


def record_type(entity: str) -> RecordType:
    """The kind of record called `entity`. Raises KeyError."""
    return _types[entity]


def record_type_of(model: type[Record]) -> RecordType:
    """The kind of record that a model holds. Raises KeyError."""
    return _types[entity_of(model)]


def record_types() -> list[RecordType]:
    """Every kind of record, as they were declared."""
    return list(_types)


def record_events(entity: str, phrase: str, *, icon: str, created: str = "") -> list[EventType]:
    """What can happen to every kind of record. A timeline says `phrase` for the record ("this company"), and `created`
    where one was made ("added this company")."""
    return [
        EventType(f"{entity}.created", "CREATE", created or f"added {phrase}", "Created", icon),
        EventType(f"{entity}.updated", "UPDATE", "changed", "Updated", "pencil"),
        EventType(f"{entity}.assigned", "ASSIGN", "assigned", "Assigned", "user-check"),
        EventType(f"{entity}.deleted", "DELETE", f"moved {phrase} to the trash", "Deleted", "trash-2"),
        EventType(f"{entity}.restored", "RESTORE", f"took {phrase} out of the trash", "Restored", "archive-restore"),
    ]
