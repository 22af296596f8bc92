"""Normalization of text, and the key that matches, finds, sorts and compares names."""

import pytest

from crm.kit.text import normalize_line, normalize_multiline, search_key

pytestmark = pytest.mark.once

ALIKE = [
    ("Caf\u00e9 N\u00f6rd GmbH", "Cafe\u0301 No\u0308rd  gmbh"),
    ("Queen's University", "Queen\u2019s University"),
    ("O'Brien", "O\u00b4BRIEN"),
    ("O'Brien", "O`Brien"),
    ("lukasz", "\u0141ukasz"),
    ("Soren Aeroe", "S\u00f8ren \u00c6r\u00f8e"),
    ("Strasse", "STRA\u00dfE"),
    ("Dokovic", "\u0110okovi\u0107"),
    ("Oeuvre", "\u0152uvre"),
    ("Istanbul", "\u0130stanbul"),
    ("a-b", "A\u2013b"),
    ("a b", "a\u00a0\u2009b"),
    ("ab", "a\u00adb\u200b"),
    ("\u03bf\u03b4\u03bf\u03c3", "\u039f\u0394\u039f\u03a3"),
]


@pytest.mark.parametrize("one, other", ALIKE)
def test_what_looks_equal_has_one_key(one, other):
    assert search_key(one) == search_key(other)
    assert search_key(search_key(other)) == search_key(other)


def test_what_is_different_keeps_different_keys():
    assert len({search_key(name) for name in ("Ann", "Anna", "An n", "A-nn", "A'nn")}) == 5


def test_single_lines_hold_neither_line_breaks_nor_control_characters():
    assert normalize_line(" Two\r\nLines\u2028more\x07 ") == "Two Lines more"
    assert normalize_line("Cafe\u0301") == "Caf\u00e9"
    assert normalize_multiline("Cafe\u0301\r\n\tTwo\rThree\x07") == "Caf\u00e9\n\tTwo\nThree"
