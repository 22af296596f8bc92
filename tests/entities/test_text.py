"""Folding in Python and the database agrees for every cased character."""

from django.db.models import Value

from crm.entities.text import Fold
from crm.kit.text import fold
from tests.conditions.app.models import Firm

WORDS = ["ΟΔΟΣ", "ΑΣ ΑΣ.", "Σ", "A\N{SOFT HYPHEN}Σ", "İSTANBUL", "STRASSE ẞ", "ÅNGSTRÖM \N{ANGSTROM SIGN}", "ǅ", "ﬁ"]


def test_the_database_folds_as_python_does(workspace):
    cased = [ch for ch in map(chr, range(1, 0x11000)) if ch.lower() != ch or ch.upper() != ch]
    texts = [*WORDS, *(" ".join(cased[start : start + 200]) for start in range(0, len(cased), 200))]
    Firm.objects.create(name="one row")
    for text in texts:
        assert Firm.objects.values_list(Fold(Value(text)), flat=True).get() == fold(text)


def test_both_small_sigmas_are_one_letter():
    assert fold("ΟΔΟΣ") == fold("οδος") == fold("οδοσ")
