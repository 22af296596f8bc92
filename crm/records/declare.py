"""Declaring a kind of record: an app does it once for each of its own, in its module `records`."""

from dataclasses import replace
from functools import partial

from audit import subjects
from crm.entities import registry as entities
from crm.events import registry as events
from crm.events.registry import EventType
from crm.kit import nav
from crm.kit.nav import NavItem
from crm.lifecycle import axes, condition_fields, definitions
from crm.lists import board as boards
from crm.lists import spec as lists
from crm.lists.imports import registry as imports
from crm.records import panels
from crm.records.actions import record_actions
from crm.records.imports import importer_of
from crm.records.registry import RecordType, missing_verb, no_context, types
from crm.records.verbs.create_records import create_records


def declare(kind: RecordType) -> RecordType:
    """Make a kind of record known, and hand its parts to what works with them.

    Returns it, with what follows from the rest filled in. Raises ValueError for one that is known.
    """
    entities.register(kind.entity)
    kind = types.add(kind.entity.name, _complete(kind))
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
    events.declare(*kind.events)
    for axis in kind.axes:
        axes.register(axis)
        condition_fields.declare_moves(axis)
    for axis, meanings in kind.definitions.items():
        definitions.ship_definitions(axis, meanings)


def _register_pages(kind: RecordType) -> None:
    lists.register(kind.listing)
    if kind.board:
        boards.register(kind.board)
    for item in kind.nav or ():
        nav.register(item)
    for entity, panel in kind.panels.items():
        panels.register(entity, panel)
    if kind.importer:
        imports.register(kind.importer)
    for relation in kind.relations:
        imports.relate(kind.entity.name, relation)


def _complete(kind: RecordType) -> RecordType:
    entity, spec = kind.entity, kind.listing
    plain = importer_of(kind.model) if "import" in kind.files else None
    return replace(
        kind,
        create=partial(create_records, kind.model) if kind.create is missing_verb else kind.create,
        events=kind.events or common_record_events(entity.name, f"this {entity.label.lower()}", icon=spec.icon),
        listing=replace(spec, actions=spec.actions or record_actions(entity.name)),
        nav=(NavItem(entity.plural, f"{entity.name}_list", spec.icon, 58),) if kind.nav is None else kind.nav,
        importer=kind.importer or plain,
        head=kind.standing if kind.head is no_context else kind.head,
    )


def common_record_events(entity: str, phrase: str, *, icon: str, created: str = "") -> list[EventType]:
    """What can happen to every kind of record. A timeline says `phrase` for the record ("this company"), and `created`
    where one was made ("added this company")."""
    return [
        EventType(f"{entity}.created", "CREATE", created or f"added {phrase}", "Created", icon),
        EventType(f"{entity}.updated", "UPDATE", "changed", "Updated", "pencil"),
        EventType(f"{entity}.assigned", "ASSIGN", "assigned", "Assigned", "user-check"),
        EventType(f"{entity}.deleted", "DELETE", f"moved {phrase} to the trash", "Deleted", "trash-2"),
        EventType(f"{entity}.restored", "RESTORE", f"took {phrase} out of the trash", "Restored", "archive-restore"),
    ]
