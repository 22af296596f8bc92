"""Declaration of record types, by an app's module `records`."""

from dataclasses import replace
from functools import partial

from audit import subjects
from crm.entities import registry as entities
from crm.events import registry as events
from crm.events.registry import EventType
from crm.kit import nav
from crm.kit.nav import NavItem
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle import axes, condition_fields, definitions
from crm.lists import board as boards
from crm.lists import spec as lists
from crm.lists.imports import registry as imports
from crm.records import panels
from crm.records.actions import record_actions
from crm.records.imports import importer_of
from crm.records.registry import RECORD_TYPES, RecordType, missing_verb, no_context
from crm.records.verbs.create_records import create_records


def declare(kind: RecordType) -> RecordType:
    """Register a record type and its parts. Return it with defaults filled in. Raises ValueError for a duplicate."""
    entities.register(kind.entity)
    kind = RECORD_TYPES.add(kind.entity.name, _complete(kind))
    for entity, fields in kind.gives.items():
        entities.get(entity).add(*fields)
    _register_history(kind)
    _register_pages(kind)
    return kind


def _register_history(kind: RecordType) -> None:
    fixed = [axis.field for axis in kind.axes if not kind.entity.fields[axis.field].editable]
    since = [axis.since for axis in kind.axes]
    entity = kind.entity
    following = [*since, *kind.following]
    model = entity.model_label
    subjects.register(entity.name, model, kind.person, following, fixed, kind.set_by_moves, together=kind.together)
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
        events=kind.events or common_record_events(entity.name, icon=spec.icon),
        listing=replace(spec, actions=spec.actions or record_actions(entity.name)),
        nav=(NavItem(entity.plural, f"{entity.name}_list", spec.icon, 58),) if kind.nav is None else kind.nav,
        importer=kind.importer or plain,
        head=kind.standing if kind.head is no_context else kind.head,
    )


Texts = tuple[str, str]  # an event's label and sentence
CREATED: Texts = (_("Record created"), _("{who} created this record"))
UPDATED: Texts = (_("Record changed"), _("{who} changed this record"))
ASSIGNED: Texts = (_("Record assigned"), _("{who} assigned this record"))
DELETED: Texts = (_("Record moved to trash"), _("{who} moved this record to the trash"))
CONVERTED: Texts = (_("Field converted"), _("{who} converted the type of a field"))
RESTORED: Texts = (_("Record restored"), _("{who} restored this record"))


def common_record_events(
    entity: str,
    *,
    icon: str,
    created: Texts = CREATED,
    updated: Texts = UPDATED,
    assigned: Texts = ASSIGNED,
    deleted: Texts = DELETED,
    restored: Texts = RESTORED,
) -> list[EventType]:
    """Return the events of every record type, with texts that name it."""
    return [
        EventType(f"{entity}.created", "CREATE", *created, "Created", icon),
        EventType(f"{entity}.updated", "UPDATE", *updated, "Updated", "pencil"),
        EventType(f"{entity}.field_converted", "UPDATE", *CONVERTED, icon="table-properties"),
        EventType(f"{entity}.assigned", "ASSIGN", *assigned, "Assigned", "user-check"),
        EventType(f"{entity}.deleted", "DELETE", *deleted, "Deleted", "trash-2"),
        EventType(f"{entity}.restored", "RESTORE", *restored, "Restored", "archive-restore"),
    ]
