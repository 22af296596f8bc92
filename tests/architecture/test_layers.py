"""Imports go one way: an upper app may import a lower one, never the reverse (DESIGN 2)."""

import ast

import pytest

from tests.architecture.source import TOPS, modules

pytestmark = pytest.mark.once

# Bottom up. Those on one line may import each other.
LAYERS = (
    ("crm.kit",),
    ("crm.events",),
    ("audit",),
    ("crm.users",),
    ("crm.entities",),
    ("crm.conditions",),
    ("crm.lifecycle",),
    ("crm.lists",),
    ("crm.anomalies",),
    ("crm.records",),
    ("contacts",),
    ("crm.campaigns",),
    ("crm.opportunities",),
    ("leads",),
    ("crm.files",),
    ("crm.legacy_leads",),
    ("crm.customers",),
    ("crm.notifications",),
    ("crm.workflows",),
    ("crm.dashboards", "crm.api"),
    ("crm.backup",),
    ("crm.settings", "crm.urls", "crm.environment", "crm.celery", "crm.wsgi", "commands"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def layer(module: str) -> str:
    """Return the layer of a dotted name; '' for external modules, and for the package crm, which holds the version."""
    if ".management.commands" in module:
        return "commands"
    return next((name for name in RANK if module == name or module.startswith(name + ".")), "")


def test_every_module_has_a_layer():
    packages = {f"{top}.__init__" for top in TOPS} | {"crm"}
    assert not [module.name for module in modules() if not layer(module.name) and module.name not in packages]


def test_imports_point_one_way():
    backwards = [
        f"{module.path}:{line}: {layer(module.name)} imports {imported}"
        for module in modules()
        for line, imported in module.imports()
        if layer(imported) and RANK[layer(imported)] > RANK.get(layer(module.name), 0)
    ]
    assert not backwards, "\n".join(backwards)


# Settings load before Django; psycopg is needed only with PostgreSQL.
IMPORTING = {"crm/environment.py _postgres"}


def test_a_function_that_imports_is_there_for_a_reason():
    """Imports inside functions hide dependencies; AppConfig.ready() needs them, because models load first."""
    hidden = {
        f"{module.path} {function.name}"
        for module in modules()
        for function in module.functions()
        if function.name != "ready" and _imports(function)
    }
    assert hidden == IMPORTING


def _imports(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
