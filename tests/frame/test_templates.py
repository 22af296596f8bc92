"""Static checks of templates against CSP and htmx settings (S9)."""

import json
import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
GALLERY = sorted((ROOT / "tests/frame/templates").rglob("*.html"))
WIDTH = 120

RULES = {
    "no hx-on: it needs eval": re.compile(r"hx-on[:=-]"),
    "no js: values: they need eval": re.compile(r"""["'{,\s]js:|javascript:"""),
    "no trigger filters: without eval they fire always": re.compile(r"""hx-trigger=["'][^"']*\["""),
    "no |safe: what people typed would run": re.compile(r"\|\s*safe\b|autoescape off|mark_safe"),
    "no style attributes: the policy drops them": re.compile(r"<[^>]*\sstyle\s*="),
    "no <style>: the policy drops it": re.compile(r"<style\b"),
    "no event attributes: the policy drops them": re.compile(r"<[^>]*\son[a-z]+\s*="),
    "no inline scripts: the policy drops them": re.compile(r"<script(?![^>]*(\bsrc=|application/json))"),
    "no files of other hosts": re.compile(r"""<(?!a\s)[^>]*(src|href)=["'](https?:)?//"""),
    "no hx-get that changes something": re.compile(r"""hx-get=["'][^>]*(delete|deactivate|withdraw|open_workspace)"""),
}
CAUGHT = [
    '<a hx-on:click="x()">',
    """<a hx-vals='js:{a: 1}'>""",
    """<a hx-trigger="click[ctrlKey]">""",
    "{{ note|safe }}",
    '<p style="color: red">',
    "<style>p {}</style>",
    '<a onclick="x()">',
    "<script>x()</script>",
    '<script src="//cdn.example/x.js"></script>',
    """<a hx-get="{% url 'deactivate_person' 1 %}">""",
]


def broken_rules(text: str) -> list[str]:
    return [rule for rule, pattern in RULES.items() if pattern.search(text)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_breaks_a_rule(path):
    assert broken_rules(path.read_text()) == []


@pytest.mark.parametrize(("rule", "example"), list(zip(RULES, CAUGHT, strict=True)))
def test_each_rule_catches_its_example(rule, example):
    assert rule in broken_rules(example)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_form_that_posts_carries_its_token(path):
    for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(), re.DOTALL):
        assert "{% csrf_token %}" in form


@pytest.mark.parametrize("path", TEMPLATES + GALLERY, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_template_is_narrow_and_names_its_context_at_its_top(path):
    """djhtml checks indentation (make format); this checks the rest."""
    text = path.read_text()
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []
    top = text.removeprefix(text.splitlines()[0] + "\n") if text.startswith("{% extends") else text
    assert re.match(r"(\{#.*#\}\n)*\{#.*\bContext:.*#\}|\{% comment %\}[^%]*\bContext:[^%]*\{% endcomment %\}", top)


def test_htmx_is_held_to_its_safe_settings(rf):
    page = render_to_string("document.html", request=rf.get("/"))
    config = json.loads(re.search(r"""name="htmx-config"\s+content='([^']+)'""", page)[1])
    assert config["allowEval"] is config["allowScriptTags"] is config["includeIndicatorStyles"] is False
    assert config["selfRequestsOnly"] is True
    assert config["historyCacheSize"] == 0


MARKED_SAFE = {
    "contacts/pages.py",  # an address as a link, which escapes its parts
    "crm/kit/templatetags/frame.py",  # a time: digits and month names
    "crm/lists/table_html.py",  # a table's rows, in which each cell escapes its content
    "crm/records/facts.py",  # such a cell, on a record's page
}


def test_html_is_marked_safe_only_where_it_was_escaped_by_hand():
    code = [p for top in ("crm", "contacts", "audit") for p in (ROOT / top).rglob("*.py")]
    assert {str(p.relative_to(ROOT)) for p in code if "mark_safe(" in p.read_text()} == MARKED_SAFE
