"""A verb is a file with one public function of that name, which takes the actor and writes to the audit log."""

import ast
import re

import pytest

from audit.subjects import all_subjects
from crm.entities.registry import all_entities
from crm.events.registry import all_events
from crm.lifecycle.axes import all_axes
from crm.records.models import Record
from tests.architecture.source import Module, literal, modules

pytestmark = pytest.mark.once

VERBS = [module for module in modules() if module.is_verb and not module.path.endswith("__init__.py")]
RECORDERS = {
    "record",
    "record_rows",
    "update_and_record",
    "apply",
    "apply_each",
    "insert_records",
    "create_records",
    "move",
    "force_move",
    "move_stages",
    "store",
    "lift_reasons",
    "insert_activities",
    "record_added",
}  # audit.record, crm.records.writing, lifecycle.move, opportunities.stage_moves, contacts: engagement, suppression, …
EVENT = re.compile(r"(§|[a-z_]+)\.[a-z_]+")


def public_functions(module: Module) -> list[ast.FunctionDef]:
    return [n for n in module.tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]


@pytest.mark.parametrize("module", VERBS, ids=lambda module: module.path)
def test_a_verb_is_one_public_function_that_is_told_who_acts(module):
    (verb,) = public_functions(module)
    assert verb.name == module.name.rsplit(".", 1)[1]
    keywords = dict(zip((arg.arg for arg in verb.args.kwonlyargs), verb.args.kw_defaults, strict=True))
    assert "by" in keywords, "`by` stands behind the *"
    assert keywords["by"] is None, "`by` has no default"
    assert "atomic" in {getattr(decorator, "attr", "") for decorator in verb.decorator_list}


@pytest.mark.parametrize("module", VERBS, ids=lambda module: module.path)
def test_a_verb_writes_to_the_log_itself_or_through_another(module):
    others = {name.rsplit(".", 1)[1] for _, name in module.imports() if ".verbs." in name}
    called = {name for name, _ in module.calls()}
    assert called & (RECORDERS | others)


def recorded() -> set[tuple[str, str]]:
    """Return (file, event) of every event recorded by name; § for an entity known only at runtime."""
    found = set()
    for module in modules():
        for name, call in module.calls():
            told = [literal(keyword.value) for keyword in call.keywords if keyword.arg == "event"]
            if name in RECORDERS | {"_record", "_listen"}:
                told += [literal(argument) for argument in call.args[:2]]
            found |= {(module.path, event) for event in told if EVENT.fullmatch(event)}
    return found | {("the table of moves", move.event) for axis in all_axes() for move in axis.moves}


def expanded(event: str) -> list[str]:
    """Return the events § may stand for: one of an entity with pages, or the undo of any subject."""
    if not event.startswith("§"):
        return [event]
    entities = [entity.name for entity in all_entities() if issubclass(entity.model, Record)]
    return [event.replace("§", name) for name in (_undoable() if event == "§.undone" else entities)]


def _undoable() -> list[str]:
    return [subject.entity for subject in all_subjects()]


def test_every_recorded_event_is_declared():
    declared = {kind.name for kind in all_events()}
    assert not {(path, event) for path, event in recorded() if not set(expanded(event)) <= declared}


def test_every_declared_event_is_recorded_somewhere():
    texts = {literal(node) for m in modules() if not m.path.endswith("events.py") for node in ast.walk(m.tree)}
    named = {text for text in texts if EVENT.fullmatch(text)} | {event for _, event in recorded()}
    told = {name for event in named for name in expanded(event)}
    assert not {kind.name for kind in all_events()} - told


def test_every_declared_event_has_a_subject():
    subjects = {subject.entity for subject in all_subjects()}
    assert not {kind.name for kind in all_events() if kind.action and kind.entity not in subjects}
    for subject in all_subjects():
        assert subject.model


def test_every_subject_keeps_its_workspace_or_belongs_to_people():
    fields = {s.entity: {f.attname for f in s.model._meta.concrete_fields} for s in all_subjects()}
    assert {entity for entity, names in fields.items() if "workspace_id" not in names} == {"user", "workspace"}
