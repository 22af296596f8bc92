"""The project's coding rules, checked on the code (CONTRIBUTING)."""

import ast
import re
from statistics import median

import pytest
from django.apps import apps

from crm.kit.logged import Logged
from crm.users.models import Owned
from tests.architecture.source import ROOT, modules

pytestmark = pytest.mark.once

MODEL_SIGNALS = {"pre_save", "post_save", "pre_delete", "post_delete", "m2m_changed", "pre_init", "post_init"}
# Allowed users of Django's base manager, with reasons.
BASE_MANAGER = {"crm/kit/nav.py"}  # Workspace has no scope: it is one
RAW = {"contacts/imports/matching.py"}  # the constant '' of a partial index, which SQLite compares as text
SKIPPED = {".git", ".venv", "var", "__pycache__", "node_modules", ".ruff_cache", ".mypy_cache", ".hypothesis"}
TEXTS = {".py", ".html", ".txt", ".md", ".css", ".js", ".toml", ".in", ".lark", ".json", ".yml", ".cfg", ".example", ""}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
REGISTRY = re.compile(
    r"--(extra-)?index-url|--find-links|-f https?:|https?://\S*(pypi|/simple\b|artifactory|nexus)", re.I
)


def files():
    """Yield every text file of the project."""
    for path in sorted(ROOT.rglob("*")):
        if path.is_file() and not SKIPPED & set(path.relative_to(ROOT).parts) and path.suffix in TEXTS:
            yield path


def test_nothing_is_sent_to_a_queue_but_by_the_outbox():
    sent = {
        module.path
        for module in modules()
        for name, _ in module.calls()
        if name in ("delay", "apply_async", "delay_on_commit", "send_task")
    }
    assert sent <= {"crm/events/engine.py"}


def test_models_are_not_overheard_and_only_describe():
    heard = {m.path for m in modules() for _, name in m.imports() if name.rsplit(".", 1)[-1] in MODEL_SIGNALS}
    assert not heard
    overridden = [
        f"{model._meta.label}.{name}"
        for model in apps.get_models()
        if model.__module__.split(".")[0] in ("crm", "contacts", "leads", "audit")
        for name in ("save", "delete", "full_clean")
        if name in vars(model)
    ]
    assert not overridden


def test_only_the_known_callers_go_round_the_scope():
    assert {module.path for module in modules() if "._base_manager" in module.text} == BASE_MANAGER
    raw = {m.path for m in modules() for name, _ in m.calls() if name in ("raw", "extra", "RawSQL")}
    assert raw == RAW


@pytest.mark.parametrize("model", apps.get_models(), ids=lambda model: model._meta.label)
def test_a_row_of_a_workspace_is_behind_the_door(model):
    columns = {field.attname for field in model._meta.concrete_fields}
    assert ("workspace_id" in columns) == issubclass(model, Owned | Logged)


def undocumented():
    """Yield modules, classes and verbs without a docstring. Helpers need a clear name or a docstring."""
    for module in modules():
        if not ast.get_docstring(module.tree) and _holds_more_than_a_frame(module):
            yield module.path
        for node in module.tree.body:
            is_verb = isinstance(node, ast.FunctionDef) and ".verbs." in module.name
            if (is_verb or isinstance(node, ast.ClassDef)) and _is_silent(node) and not _is_django_s(module, node):
                yield f"{module.path}:{node.lineno} {node.name}"


def _holds_more_than_a_frame(module) -> bool:
    frame = ("apps", "urls", "wsgi", "__init__")  # Django's own files, named by convention; a command has its help
    return (
        module.name.rsplit(".", 1)[-1] not in frame
        and ".commands" not in module.name
        and bool(module.tree.body)
        and not module.path.endswith("__init__.py")
    )


def _is_silent(node) -> bool:
    return not node.name.startswith("_") and not ast.get_docstring(node)


def _is_django_s(module, node) -> bool:
    return node.name == "Command" or module.name.endswith(".apps") or node.name.endswith("Admin")


def test_every_module_class_and_verb_says_what_it_is_for():
    assert not list(undocumented()), "\n".join(undocumented())


def lengths() -> dict[str, int]:
    """Return the lines of each function, without docstring and decorators."""
    found = {}
    for module in modules():
        for function in module.functions():
            body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
            found[f"{module.path}:{function.lineno} {function.name}"] = function.end_lineno - body[0].lineno + 2
    return found


def test_functions_are_short():
    assert median(lengths().values()) < 10
    assert not {name: lines for name, lines in lengths().items() if lines > 60}


def test_files_are_short():
    assert not {
        module.path: len(module.text.splitlines()) for module in modules() if len(module.text.splitlines()) > 600
    }


def test_nothing_is_left_for_later_and_nothing_names_a_registry():
    others = [path for path in files() if path.name != "test_habits.py"]
    assert not [str(path) for path in others if UNFINISHED.search(path.read_text(errors="replace"))]
    assert not [str(path) for path in others if REGISTRY.search(path.read_text(errors="replace"))]
