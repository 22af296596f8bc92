"""Texts declared in registries and commands are translatable."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module, reload

import pytest
from django.core.management import get_commands
from django.core.management.base import BaseCommand
from django.utils.translation import override

from crm.entities.registry import Entity
from crm.kit.registry import Registry
from tests.language.pseudo import CODE, WORD, outside

pytestmark = pytest.mark.once
WHERE = [
    "crm.anomalies.kinds",
    "crm.dashboards.tables",
    "crm.entities.registry",
    "crm.events.registry",
    "crm.kit.nav",
    "crm.lifecycle.axes",
    "crm.lists.spec",
    "crm.notifications.kinds",
    "crm.workflows.shipped",
    "crm.workflows.steps",
    "crm.workflows.triggers",
    "leads.scoring.rules",
]
TEXTS = {"label", "title", "sentence", "unseen", "help", "start_help", "about", "plural", "done", "message"}
OWN_APPS = ("crm.", "leads", "contacts", "audit")
FOR_DEVELOPERS = {"makemessages", "compilemessages", "load_demo"}  # English, like the code


def bare(text: object) -> bool:
    """Return whether a text has words without translation."""
    return bool(WORD.search(outside(str(text))[0]))


def texts(item: object, seen: set[int]) -> Iterator[tuple[str, str]]:
    """Yield a declaration's texts, also nested ones, with their attribute names."""
    if isinstance(item, dict):
        item = list(item.values())
    if isinstance(item, list | tuple | Registry):
        for each in item:
            yield from texts(each, seen)
    elif isinstance(item, Entity) and item.model.__module__.startswith("tests."):
        return  # an app installed only in tests
    elif is_dataclass(item) and not isinstance(item, type) and id(item) not in seen:
        seen.add(id(item))
        for field in fields(item):
            value = getattr(item, field.name)
            if field.name in TEXTS and not callable(value) and not (field.name == "title" and isinstance(item, Entity)):
                yield f"{type(item).__name__}.{field.name}", value
            else:
                yield from texts(value, seen)


def test_every_label_and_sentence_of_a_declaration_is_translated(pseudo):
    seen: set[int] = set()
    with override(CODE):
        found = [
            (where, name, str(text))
            for where in WHERE
            for held in vars(import_module(where)).values()
            for name, text in texts(held, seen)
        ]
        assert not [each for each in found if bare(each[2])]
    # With empty or renamed registries this test would find nothing.
    assert len({name for _, name, _ in found}) > 12
    assert len(found) > 400


OURS = sorted(
    name
    for name, app in get_commands().items()
    if isinstance(app, str) and app.startswith(OWN_APPS) and name not in FOR_DEVELOPERS
)


@pytest.mark.parametrize("name", OURS)
def test_the_help_of_a_command_is_translated(name, pseudo):
    with override(CODE):
        # Anew: its description is read when its module is.
        command = reload(import_module(f"{get_commands()[name]}.management.commands.{name}")).Command()
        theirs = _said_by(_base_of(command), name)
        own = _said_by(command, name) - theirs
    assert [text for text in own if bare(text)] == []


def _said_by(command: BaseCommand, name: str) -> set[str]:
    """Return the description and options' texts."""
    parser = command.create_parser("manage.py", name)
    return {text for text in (parser.description, *(action.help for action in parser._actions)) if text}


def _base_of(command: BaseCommand) -> BaseCommand:
    """Return the Django command it overrides, or the base command."""
    django = next(each for each in type(command).__mro__ if each.__module__.startswith("django."))
    return django()
