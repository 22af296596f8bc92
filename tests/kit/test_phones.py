"""One key for all notations of a phone number."""

import pytest
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from crm.kit import phones
from crm.kit.phones import phone_key, phone_parts, phone_url

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "text, country",
    [
        ("+49 151 23456789", ""),
        ("+4915123456789", "ES"),
        ("0049 151 23456789", "DE"),
        ("(0151) 234-567 89", "DE"),
        ("+49 (0)151 / 23456789", ""),
        ("+49 0151 23456789", ""),
        ("tel. 0151.23456789", "DE"),
    ],
)
def test_all_notations_have_one_key(text, country):
    assert phone_key(text, country) == "+4915123456789"


@pytest.mark.parametrize(
    "text, country, key", [("0151 23456789", "", "015123456789"), ("ext. 4", "DE", "4"), ("call me", "ES", "")]
)
def test_what_cannot_be_read_has_its_digits_as_key(text, country, key):
    assert phone_key(text, country) == key


def test_the_quick_way_reads_numbers_like_the_library():
    """Of every country: with and without the trunk prefix, short and long."""
    for code in COUNTRY_CODE_TO_REGION_CODE:
        for rest in ("612345678", "0612345678", "1612345678", "8612345678", "15512345678"):
            text = f"+{code} {rest}"
            assert phones._plain(text) in ("", phones._parsed(text, ""))


def test_a_part_of_a_number_is_searched_with_and_without_its_zeros():
    assert phone_parts("0151 23", "DE") >= {"015123", "15123"}


def test_a_link_dials_the_number():
    assert (phone_url("600 100 200", "ES"), phone_url("nobody", "ES")) == ("tel:+34600100200", "")
