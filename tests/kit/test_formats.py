"""Dates, times, numbers, percents and money match Babel's in every offered locale."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from babel import Locale, dates, numbers

from crm.kit import formats
from crm.kit.language import FORMATS

pytestmark = pytest.mark.once
DAYS = [date(2026, 1, 1) + timedelta(days=9 * step) for step in range(41)]
NUMBERS = [0, 7, -7, 1240, 1_234_567, Decimal("12.5"), Decimal("-0.25"), 0.1]


@contextmanager
def writing(code: str):
    token = formats.current.set(code)
    try:
        yield
    finally:
        formats.current.reset(token)


@pytest.mark.parametrize("code", FORMATS)
@pytest.mark.parametrize(
    ("skeleton", "write"),
    [
        ("yMMMd", formats.day),
        ("yMMMMd", formats.day_in_full),
        ("MMMd", formats.day_of_year),
        ("yMMM", formats.month),
    ],
)
def test_dates_are_babel_s(code, skeleton, write):
    with writing(code):
        assert [write(day) for day in DAYS] == [dates.format_skeleton(skeleton, day, locale=code) for day in DAYS]


@pytest.mark.parametrize("code", FORMATS)
def test_times_take_the_clock_of_the_locale(code):
    moments = [datetime(2026, 11, 28, hour, 5, tzinfo=UTC) for hour in (0, 9, 12, 23)]
    half = "a" in Locale.parse(code).time_formats["short"].pattern
    expected = [dates.format_time(at, "h:mm a" if half else "HH:mm", locale=code) for at in moments]
    with writing(code):
        assert [formats.clock(at) for at in moments] == expected


@pytest.mark.parametrize("code", [code for code in FORMATS if code != "de_CH"])  # Babel does not group there
def test_numbers_are_babel_s(code):
    with writing(code):
        assert [formats.number(value) for value in NUMBERS] == [
            numbers.format_decimal(value, "#,##0.###", locale=code) for value in NUMBERS
        ]
        assert formats.number(Decimal("2.345"), 2) == numbers.format_decimal(Decimal("2.35"), locale=code)


@pytest.mark.parametrize("code", FORMATS)
def test_percents_are_babel_s(code):
    pattern = Locale.parse(code).percent_formats[None].pattern.replace("#,##0", "#,##0.#")
    with writing(code):
        for fraction in (0, 0.117, Decimal("0.5"), 1, 12.5):
            assert formats.percent(fraction) == numbers.format_percent(fraction, pattern, locale=code)


@pytest.mark.parametrize("code", FORMATS)
def test_money_has_cents_where_there_are_any(code):
    with writing(code):
        assert formats.money(Decimal("25000.50"), "EUR") == numbers.format_currency(
            25000.5, "EUR", locale=code
        ).replace("EUR", "€")
        assert formats.money(25000, "EUR") == formats.money(Decimal("25000.50"), "EUR").replace(
            Locale.parse(code).number_symbols["latn"]["decimal"] + "50", ""
        )


def test_a_code_stands_apart_from_the_amount():
    with writing("en_GB"):
        assert formats.money(Decimal("1250.5"), "AED") == "AED 1,250.50"
        assert formats.money(-3, "EUR") == "-€3"


def test_a_choice_in_words_follows_the_language_not_the_formats():
    with writing("de_DE"):
        assert formats.either(["Lead", "Qualified", "Customer"]) == "Lead, Qualified or Customer"


@pytest.mark.parametrize("code", FORMATS)
def test_a_number_is_read_as_it_is_shown(code):
    with writing(code):
        for value in map(Decimal, ("0", "7", "-7", "1240", "1234567", "12.5", "-0.25", "12.125", "0.125", "1234.5")):
            assert Decimal(formats.read_number(formats.number(value))) == value
            assert Decimal(formats.read_number(formats.typed(value))) == value


@pytest.mark.parametrize(
    ("code", "text", "read"),
    [
        ("de_DE", "48.000", "48000"),
        ("de_DE", "48.000,50", "48000.50"),
        ("de_DE", "48,5", "48.5"),
        ("de_DE", "12.5", "12.5"),
        ("de_DE", "0.125", "0.125"),
        ("de_DE", "1.24.000", "1.24.000"),
        ("de_CH", "48'000.50", "48000.50"),
        ("fr_FR", "48 000,5", "48000.5"),
        ("en_US", "48,000", "48000"),
        ("en_US", "48,00", "48,00"),
        ("en_GB", "many", "many"),
        ("en_GB", "", ""),
    ],
)
def test_a_number_is_read_as_its_writer_means_it(code, text, read):
    with writing(code):
        assert formats.read_number(text) == read


@pytest.mark.parametrize(
    ("code", "text", "read"),
    [
        ("de_DE", "31.12.2026", "2026-12-31"),
        ("de_DE", "1.2.26", "2026-02-01"),
        ("en_US", "12/31/2026", "2026-12-31"),
        ("en_GB", "31/12/2026", "2026-12-31"),
        ("fr_CA", "2026-12-31", "2026-12-31"),
        ("en_GB", "12/31/2026", "12/31/2026"),
        ("en_GB", "soon", "soon"),
    ],
)
def test_a_day_is_read_in_the_order_of_the_locale(code, text, read):
    with writing(code):
        assert formats.read_day(text) == read
