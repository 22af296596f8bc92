"""Registry of record types; crm.records.declare fills it.

Why: docs/decisions/0072-one-declaration-per-kind.md
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

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
from crm.lifecycle.axes import Axis
from crm.lifecycle.definitions import Definition
from crm.lifecycle.offers import offers
from crm.lists.board import Board
from crm.lists.imports.registry import Importer, Relation
from crm.lists.spec import ListSpec
from crm.records.models import Record
from crm.users.visibility import Locked, RecordQuerySet

Verb = Callable[..., Outcome]  # (rows, *, by, **answers)
Form = Callable[[Any, Any, Actor], forms.Form]  # (data or None, record, by) → the verb's form


class Suggestion(NamedTuple):
    """A value for a field of a new record, as typed there, and why."""

    value: str
    why: str


def no_context(record: Any, by: Actor, editable: bool) -> dict[str, Any]:
    return {}


def missing_verb(*args: Any, **kwargs: Any) -> Any:
    """Placeholder for a verb that a type omits."""
    raise NotImplementedError


def refuse_nothing(locked: Locked, changes: Mapping[str, Any]) -> None:
    """Refuse nothing: the default check."""


def derive_nothing(rows: RecordQuerySet, changes: dict[str, Any]) -> dict[str, Any]:
    return changes


@dataclass(frozen=True, kw_only=True)
class RecordType:
    """The declaration of a record type. Fields with a default are optional.

    Fields and history: `entity` declares its name and fields; `gives` the fields it adds to other entities. `events`
    are its events (see common_record_events()); `person` is the path to the contact whose timeline shows them;
    `following`, `set_by_moves` and `together` as in audit.subjects.Subject.

    Process: `axes` are the fields that only moves change; `definitions` define their values, or those of other axes.
    `verbs` are those of its moves by name, called as verb(rows, by=…, **answers), with the answers of `forms` or the
    move's own form; `ledes(record)` describe their effect on that page. `form_axis` is the axis
    included in the forms of new and edited records.

    Other verbs: `create(values, by=…)` creates records; `suggest(values, by)` returns values to offer for blank fields
    of a new record; `lock_first(changes)` takes locks that must precede those of edited records;
    `check_edit(locked, changes)` refuses or raises; `complete(rows, changes)` adds consequences of an edit;
    `hold_in_trash(locked)` refuses restores.

    Record page: `template` extends records/record.html, with `head` and `page(record, by, editable)` as further
    context; by default the head shows the stage and moves. `head_template` renders the head again after a fact was
    edited, which may enable or disable moves. `related` are the links it follows. `timeline(record, by, before)`: one
    of contacts.timeline: of_record, or linked_record_timeline if it belongs to a contact. `wide_timeline`: another with
    its people's activities, which the page offers. `about(record)`: log()
    arguments of an activity added there; if omitted, there is no activity form. `name(record)`: its name in messages.
    `hint`: the column that distinguishes namesakes. `asked_once`: fields set only on creation. `panels`: record types
    that show it, by panel(record, request).

    List pages: `listing`, `board` and `nav`. `found` is the template for global search; '' to exclude it. `importer`
    and `relations`: import of rows; `files`: its pages. `urls` are further pages; `gate` wraps each common URL.
    `in_workflows`: whether workflows support it.
    """

    entity: Entity
    listing: ListSpec
    timeline: Callable[..., tuple[list, list, str]]
    wide_timeline: Callable[..., tuple[list, list, str]] | None = None
    create: Verb = missing_verb
    events: Sequence[EventType] = ()
    gives: Mapping[str, Sequence[Field]] = field(default_factory=dict)
    person: str = ""
    following: Sequence[str] = ()
    set_by_moves: Sequence[str] = ()
    together: Sequence[Sequence[str]] = ()
    axes: Sequence[Axis] = ()
    definitions: Mapping[Axis, Mapping[str, Definition]] = field(default_factory=dict)
    verbs: Mapping[str, Verb] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    ledes: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    form_axis: Axis | None = None
    suggest: Callable[[Mapping[str, Any], Actor], Mapping[str, Suggestion]] = lambda values, by: {}
    lock_first: Callable[[Collection[str]], None] = lambda changes: None
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
        """Return the default head: the record's value along each axis, and its moves."""
        found = [offer for axis in self.axes for offer in offers(record, axis, by=by, editable=editable)]
        return {
            "standing": [axis.value(getattr(record, axis.field)) for axis in self.axes],
            "offers": [offer for offer in found if offer.move.verb in self.verbs],
        }

    @cached_property
    def model(self) -> type[Record]:
        return self.entity.model

    @cached_property
    def axis_of(self) -> dict[str, Axis]:
        """The axis of each verb."""
        return {move.verb: axis for axis in self.axes for move in axis.moves}

    def stands(self, record: Record) -> str:
        """Return the record's axis values as text, for axes that only moves change."""
        fixed = (axis for axis in self.axes if not self.entity.fields[axis.field].editable)
        return ", ".join(str(axis.value(getattr(record, axis.field)).label) for axis in fixed)


RECORD_TYPES: Registry[RecordType] = Registry("kind of record")  # not a text
