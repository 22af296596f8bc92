"""Every template is rendered, every URL is linked, every function is called."""

import re
from collections import Counter

import pytest
from django.template.loader import get_template
from django.template.utils import get_app_template_dirs
from django.urls import URLPattern, get_resolver

from crm.kit.forms import DJANGO, FormRenderer
from crm.records.registry import RECORD_TYPES
from tests.architecture.source import ROOT, modules

pytestmark = pytest.mark.once

TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())
# Looked up by name, by Django or external callers.
WIDGETS = {"jinja2/django/forms/widgets/addresses.html"}  # named below jinja2/
BY_NAME = {
    *WIDGETS,
    "400.html",
    "403.html",
    "403_csrf.html",
    "404.html",
    "409.html",
    "429.html",
    "500.html",
    "503.html",
}
# Reached from outside: browsers, probes and other systems. The rest belongs to Django's admin and to sign-in.
FROM_OUTSIDE = {"healthz", "readyz", "metrics", "csp_report", "workflow_hook", "campaign_unsubscribe"}
HOLE = "§"
# Used by tests, or extension points for future apps: registration of an upper app with a lower one.
ASKED_FROM_OUTSIDE = {"all_events", "all_referring_models", "all_subjects", "forget", "add_function"}


def sources() -> str:
    """Return all code and templates, except the files that name URLs."""
    code = [module.text for module in modules() if not module.path.endswith("urls.py")]
    scripts = [path.read_text() for path in (ROOT / "static").glob("*.js")]
    return "\n".join([*code, *scripts, *(path.read_text() for path in TEMPLATES)])


def test_every_template_is_used():
    everything = sources()
    libraries = [
        path for path in get_app_template_dirs("templates") if ROOT not in path.parents or ".venv" in path.parts
    ]
    unused = []
    for path in TEMPLATES:
        name = str(path.relative_to(ROOT / "templates"))
        instead_of_a_library_s = any((library / name).exists() for library in libraries)
        instead_of_a_library_s |= (DJANGO / name.removeprefix("jinja2/")).exists()
        if not (name in BY_NAME or f'"{name}"' in everything or instead_of_a_library_s):
            unused.append(name)
    assert not unused


def test_every_page_s_template_can_be_read():
    for path in TEMPLATES:
        if path.suffix == ".html":
            name = str(path.relative_to(ROOT / "templates"))
            is_of_forms = name.startswith("jinja2/")
            assert FormRenderer().get_template(name.removeprefix("jinja2/")) if is_of_forms else get_template(name)


def own_routes(patterns=None, prefix: str = ""):
    """Yield (name, pattern) of the product's own URLs."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield pattern.name, route
        elif not route.startswith(("accounts/", "admin/")):
            yield from own_routes(pattern.url_patterns, route)


def holed(text: str) -> str:
    """Return the text with § for values filled in at runtime."""
    return re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{[^{}\n]*\}", HOLE, text)


def led_to() -> set[tuple[str, ...]]:
    """Return every URL written in code and templates, in parts; § for values filled in."""
    written = re.findall(r"[\"'](/[^\"'<>\s]*)[\"'?]", holed(sources()))
    return {tuple(address.split("?")[0].strip("/").split("/")) for address in written}


def leads_to(address: tuple[str, ...], route: str) -> bool:
    parts = route.strip("/").split("/")
    return len(parts) == len(address) and all(map(_fits, address, parts))


def _fits(written: str, part: str) -> bool:
    entity = part in {kind.entity.path for kind in RECORD_TYPES.values()} | {"activity"}  # a list without a type
    return written == part or (
        written.rstrip(HOLE) in ("", part) and HOLE in written and ("<" in part or entity or written != HOLE)
    )


def _less_entity(name: str) -> str:
    """Return the part of a URL name after the entity."""
    return name.removeprefix("legacy_").partition("_")[2]


def test_every_address_is_led_to():
    everything, addresses = sources() + holed(sources()), led_to()
    nowhere = [
        (name, route)
        for name, route in own_routes()
        if not re.search(rf"[\"']({name}|{HOLE}_{_less_entity(name) or name})[\"']", everything)
        and f"entity|add:'_{_less_entity(name)}'" not in everything
        and name not in FROM_OUTSIDE
        and not any(leads_to(address, route) for address in addresses)
    ]
    assert not nowhere


def test_every_public_function_is_used():
    """Used by name outside its definition; a use in tests alone does not count."""
    rest = [module.text for module in modules() if module.path.endswith("urls.py")]
    migrations = [path.read_text() for path in ROOT.glob("*/migrations/*.py")]
    names = Counter(re.findall(r"\w+", "\n".join([sources(), *rest, *migrations])))
    unused = []
    for module in modules():
        for node in module.tree.body:
            name = getattr(node, "name", "_")
            called_by_name = getattr(node, "decorator_list", ()) or name.endswith(("Config", "Middleware", "Command"))
            if name.startswith("_") or called_by_name or name in ASKED_FROM_OUTSIDE:
                continue
            if names[name] < 2:
                unused.append(f"{module.path}:{node.lineno} {name}")
    assert not unused, "\n".join(unused)
