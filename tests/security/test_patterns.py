"""Patterns are linear and wildcards literal, for any input (S13)."""

import ast
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from crm.conditions.parse import _lark as language
from crm.kit.scope import in_workspace
from tests.security.matrix import routes
from tests.security.world import rows

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
CODE = [path for top in ("crm", "contacts", "audit", "leads") for path in sorted((ROOT / top).rglob("*.py"))]
SIZES = (12, 16, 20, 24, 32, 48, 100, 400, 1600, 6400, 51_200)
LIMIT = 0.05  # seconds of processor time: a linear pass takes about a thousandth of a second
SEARCHING = {"search", "findall", "finditer", "split", "sub", "RegexValidator"}  # retry at each position
BITS = (
    *("a", "0", " ", '"', "'", "(", "[", "\\", "-", ".", "_", ",", "#", "=", "\n"),
    *("a ", "a.", "a,", "a-", "a_", "ab0", "at ", "not in "),
)
ENDS = ("", "!")


@dataclass(frozen=True)
class Written:
    """A pattern in the code, and whether it is searched rather than matched at one position."""

    pattern: str
    searched: bool


def written() -> Iterator[tuple[str, Written]]:
    """Yield (place, pattern) of every call of re.something() and RegexValidator; f-strings with x for values."""
    for path in CODE:
        tree = ast.parse(path.read_text())
        searched = {node.value.id for node in ast.walk(tree) if _is_searching(node)}
        kept = {id(n.value): getattr(n.targets[0], "id", "") for n in tree.body if isinstance(n, ast.Assign)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and _is_pattern(node.func):
                name = getattr(node.func, "attr", "RegexValidator")
                searches = kept.get(id(node)) in searched if name == "compile" else name in SEARCHING
                yield f"{path.relative_to(ROOT)}:{node.lineno}", Written(_text(node.args[0]), searches)


def _is_searching(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in SEARCHING and isinstance(node.value, ast.Name)


def _is_pattern(function: ast.expr) -> bool:
    name = getattr(function, "attr", getattr(function, "id", ""))
    return name == "RegexValidator" or getattr(getattr(function, "value", None), "id", "") == "re"


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    value = node.value if isinstance(node, ast.Constant) else "x"
    return value.decode() if isinstance(value, bytes) else value


def patterns() -> dict[str, Written]:
    """Return every pattern of ours: in code, grammar and routes."""
    found = dict(written())
    found |= {
        f"grammar {terminal.name}": Written(terminal.pattern.to_regexp(), False) for terminal in language.terminals
    }
    ours = {route for _, route in routes() if "(?P" in route and not route.startswith("accounts/")}
    return found | {f"route {route}": Written(route, True) for route in sorted(ours)}


def slowest(written: Written) -> tuple[float, int, str]:
    """Return the longest match time, with length and hostile text.

    Lengths grow and stop at the limit, so that super-linear patterns end too.
    """
    worst = (0.0, 0, "")
    pattern = re.compile(written.pattern, re.IGNORECASE)
    for bit, end in product(BITS, ENDS):
        for size in SIZES:
            text = bit * (size // len(bit)) + end
            worst = max(worst, (min(_seconds(pattern, written, text) for _ in range(2)), size, bit + "…" + end))
            if worst[0] > LIMIT:
                return worst
    return worst


def _seconds(pattern: re.Pattern, written: Written, text: str) -> float:
    start = time.thread_time()
    pattern.fullmatch(text)
    pattern.match(text)
    if written.searched:
        pattern.search(text)
    return time.thread_time() - start


def test_the_walk_finds_patterns_and_the_measure_what_is_not_linear():
    assert len(patterns()) > 30
    for bad in (r"(a|aa)+$", r"a*a*$"):
        assert slowest(Written(bad, False))[0] > LIMIT
    assert slowest(Written(r"\[[^\]]*\]", True))[0] > LIMIT


@pytest.mark.parametrize("part", range(4))
def test_every_pattern_is_linear(part):
    """In parts for several workers: parsing all code takes longer than trying a pattern."""
    tried = {where: slowest(pattern) for where, pattern in list(patterns().items())[part::4]}
    assert not {where: found for where, found in tried.items() if found[0] >= LIMIT}


@pytest.fixture
def named(world, cast):
    """Create contacts named like wildcards, and one that is not."""
    with in_workspace(cast.acme):
        contact = rows(world.own.contact)
        contact.update(name="50%_off\\", name_key="50%_off\\", search_text="50%_off\\", title="50%_off\\")
    return world


@pytest.mark.parametrize("word", ["%", "_", "\\", "%_", "_off", "50%", "%off", "5_%", "%%%", "[a-z]", "*"])
def test_wildcards_in_a_search_are_text(word, named, sign_in):
    client = sign_in("rep")
    expected = word in "50%_off\\"
    for url, query in (
        ("/contact", {"view": "all", "q": word}),
        ("/search", {"q": word}),
        ("/contact", {"view": "all", "where": f'title contains "{quoted(word)}"'}),
        ("/contact", {"view": "all", "where": f'title starts with "{quoted(word)}"'}),
        ("/contact/options", {"entity": "contact", "q": word}),
    ):
        page = client.get(url, query).content.decode()
        assert "cannot be read" not in page
        found = named.own.contact.public_id in page
        assert found == ("50%_off\\".startswith(word) if "starts" in query.get("where", "") else expected), (url, query)
        assert named.own.duplicate.public_id not in page


def quoted(word: str) -> str:
    """Return the word quoted for a condition."""
    return word.replace("\\", "\\\\")
