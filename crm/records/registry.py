"""The kinds of record: what a RecordType says, and where they are looked up. crm.records.declare makes them known.

Why: docs/decisions/0072-one-declaration-per-kind.md
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.urls import URLPattern
from django.utils.safestring import SafeString

from crm.entities.fields import Field
from crm.entities.registry import Entity
from crm.events.registry import EventType
from crm.kit.actor import Actor
from crm.kit.nav import NavItem
from crm.kit.outcome import Outcome
from crm.kit.registry import Registry
from crm.lifecycle.axes import Axis, Move
from crm.lifecycle.definitions import Definition
from crm.lifecycle.offers import offers
from crm.lists.board import Board
from crm.lists.imports.registry import Importer, Relation
from crm.lists.spec import ListSpec
from crm.records.models import Record
from crm.users.visibility import Locked, RecordQuerySet

Verb = Callable[..., Outcome]  # (rows, *, by, **answers)
Form = Callable[[Any, Any, Actor], forms.Form]  # (data or None, record, by) → what the verb asks


def no_context(record: Any, by: Actor, editable: bool) -> dict[str, Any]:
    return {}


def missing_verb(*args: Any, **kwargs: Any) -> Any:
    """Stands for a verb that a kind leaves out."""
    raise NotImplementedError


def refuse_nothing(locked: Locked, changes: Mapping[str, Any]) -> None:
    """Nothing more to check."""


def derive_nothing(rows: RecordQuerySet, changes: dict[str, Any]) -> dict[str, Any]:
    return changes


@dataclass(frozen=True, kw_only=True)
class RecordType:
    """All that the product knows of a kind of record. What has a default may be left out.

    Its fields and its history:
    `entity` declares its name and fields; `gives` the fields that other entities have through it. `events` are what
    can happen to it (see common_record_events()); `person` is the path to the contact whose timeline tells of it;
    `following` and `set_by_moves` are as in audit.subjects.Subject.

    What it goes through:
    `axes` are the fields that only moves change; `definitions` say what their values mean, or those of other axes.
    `verbs` are those of its moves by name, called as verb(rows, by=…, **answers), with the answers that `forms`, or
    else the move itself, asks for; `ledes` say on that page what comes of them, and may name {record}. `form_axis` is
    the axis that the forms of new and edited records offer as well.

    Its other verbs:
    `create(values, by=…)` makes some; `check_edit(locked, changes)` refuses or raises; `complete(rows, changes)` adds
    what follows from an edit; `hold_in_trash(locked)` refuses those that may not come back.

    The page of one:
    `template` extends records/record.html, with `head` and `page(record, by, editable)` as further context; left out,
    the head says where it stands and offers its moves. `head_template` shows the head again after a fact was edited,
    which may open or close a move. `related` are the links that it follows. `timeline(record, by, before)`: one of
    contacts.timeline: of_record, or linked_record_timeline where it belongs to a contact. `about(record)`: whom an
    activity written there is about, as log() takes it; left out, none can be. `name(record)`: what a message calls it.
    `hint`: the column that tells namesakes apart. `asked_once`: fields of new records that nobody edits. `panels`:
    beside whose records it is shown, by panel(record, request).

    The pages of many:
    `listing`, `board` and `nav`. `found` is the template by which the search over everything shows it; '' when it does
    not look. `importer` and `relations`: how rows of a file become records; `files`: which pages there are for that.
    `urls` are further pages; `gate` wraps each of the URLs that every kind has. `in_workflows`: whether workflows can
    be about it.
    """

    entity: Entity
    listing: ListSpec
    timeline: Callable[..., tuple[list, list, str]]
    create: Verb = missing_verb
    events: Sequence[EventType] = ()
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
    check_edit: Callable[[Locked, Mapping[str, Any]], None] = refuse_nothing
    complete: Callable[[Any, dict[str, Any]], dict[str, Any]] = derive_nothing
    hold_in_trash: Callable[[Locked], None] = lambda locked: None
    template: str = "records/record.html"
    head_template: str = ""
    head: Callable[[Any, Actor, bool], dict[str, Any]] = no_context
    page: Callable[[Any, Actor, bool], dict[str, Any]] = no_context
    related: tuple[str, ...] = ("owner__user", "team")
    about: Callable[[Any], dict[str, int]] | None = None
    name: Callable[[Any], str] = str
    hint: str = "public_id"
    asked_once: tuple[str, ...] = ()
    found: str = ""
    panels: Mapping[str, Callable[..., SafeString]] = field(default_factory=dict)
    board: Board | None = None
    nav: Sequence[NavItem] | None = None
    importer: type[Importer] | None = None
    relations: Sequence[Relation] = ()
    files: Sequence[str] = ("import", "export")
    urls: Sequence[URLPattern] = ()
    gate: Callable[[URLPattern], URLPattern] = lambda route: route
    in_workflows: bool = True

    def standing(self, record: Record, by: Actor, editable: bool) -> dict[str, Any]:
        """The head of a page that says no more: where the record stands along each axis, and its moves."""
        found = [offer for axis in self.axes for offer in offers(record, axis, by=by, editable=editable)]
        return {
            "standing": [axis.value(getattr(record, axis.field)) for axis in self.axes],
            "offers": [offer for offer in found if offer.move.verb in self.verbs],
        }

    @cached_property
    def model(self) -> type[Record]:
        return self.entity.model

    def axis_of(self, verb: str) -> Axis:
        """The axis along which `verb` moves. Raises KeyError."""
        return {move.verb: axis for axis in self.axes for move in axis.moves}[verb]

    def stands(self, record: Record) -> str:
        """Where a record stands, in words: along each axis that only moves change."""
        fixed = (axis for axis in self.axes if not self.entity.fields[axis.field].editable)
        return ", ".join(str(axis.value(getattr(record, axis.field)).label) for axis in fixed)

    def offered_verbs(self) -> Iterable[tuple[Axis, Move]]:
        return [(axis, move) for axis in self.axes for move in axis.moves if move.verb in self.verbs]


types: Registry[RecordType] = Registry("kind of record")  # not a text


def record_type(entity: str) -> RecordType:
    """The kind of record called `entity`. Raises KeyError."""
    return types[entity]


def record_types() -> list[RecordType]:
    """Every kind of record, as they were declared."""
    return list(types)
