"""The documents name files that are there."""

import re

import pytest

from tests.architecture.source import ROOT

pytestmark = pytest.mark.once

DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
)
PATH = re.compile(r"`((?:crm|leads|contacts|audit|templates|static|tests|bench|deploy|docs)/[\w./-]*\w/?)`")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_in_a_document_exists(document):
    named = set(PATH.findall((ROOT / document).read_text()))
    assert not sorted(path for path in named if not (ROOT / path).exists())
