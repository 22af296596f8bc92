"""Files named in documents exist, and code names the decisions that explain it."""

import re

import pytest

from tests.architecture.source import ROOT, modules

pytestmark = pytest.mark.once

DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
)
PATH = re.compile(r"`((?:crm|leads|contacts|audit|templates|static|tests|bench|deploy|docs)/[\w./-]*\w/?)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
CODE, CALL = re.compile(r"`([^`\n]+)`"), re.compile(r"\b([A-Za-z_]\w+)\(")
WORDS = {
    word
    for folder in ("crm", "contacts", "leads", "audit", "tests", "bench")
    for path in (ROOT / folder).rglob("*.py")
    for word in re.findall(r"\w+", path.read_text())
}
DECISION = re.compile(r"\bdocs/decisions/([\w.-]*\w)")


def decisions() -> list[str]:
    """Return the file names of decisions, in order."""
    return sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md") if path.name != "README.md")


def named_in_code() -> set[str]:
    """Return the decision files named in comments and docstrings."""
    return {name for module in modules() for name in DECISION.findall(module.text)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_in_a_document_exists(document):
    text = (ROOT / document).read_text()
    assert not sorted(path for path in set(PATH.findall(text)) if not (ROOT / path).exists())
    assert not sorted(link for link in set(LINK.findall(text)) if not (ROOT / document).parent.joinpath(link).exists())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_function_that_a_document_names_is_in_the_code(document):
    named = {name for code in CODE.findall((ROOT / document).read_text()) for name in CALL.findall(code)}
    assert not sorted(named - WORDS)


def test_the_code_names_every_decision_and_no_other():
    assert sorted(named_in_code()) == decisions()


def test_the_index_lists_every_decision_with_its_title():
    index = " ".join((ROOT / "docs/decisions/README.md").read_text().split())
    titles = {name: (ROOT / "docs/decisions" / name).read_text().splitlines()[0][2:] for name in decisions()}
    assert not [name for name, title in titles.items() if f"[{name[:4]}]({name}) {title}" not in index]


def test_decisions_are_numbered_without_gaps():
    assert [name[:5] for name in decisions()] == [f"{number:04}-" for number in range(1, len(decisions()) + 1)]
