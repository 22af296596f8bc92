"""Dates, times, numbers, percents and money in the reader's formats, one format of each kind.

The locale is the reader's (crm/kit/language.py). Patterns come from Babel; only the last step, filling in digits, is
done here, because a list formats hundreds of values and Babel takes 30 µs for each. tests/kit/test_formats.py compares
every function with Babel's.
"""

import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, localedata
from babel.dates import tokenize_pattern
from babel.lists import format_list
from babel.numbers import format_percent, get_decimal_symbol, get_group_symbol
from django.utils import timezone
from phonenumbers import SUPPORTED_REGIONS

from crm.kit.text import search_key
from crm.kit.translation import active_language, gettext, ngettext

DEFAULT = "en_GB"
current: ContextVar[str] = ContextVar("formats", default=DEFAULT)
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}  # otherwise the code: dollars and pesos share a sign
NUMBERS = (int, float, Decimal)
Number = int | float | Decimal

_FIELDS: dict[str, Callable[[date], str]] = {
    "d": lambda at: str(at.day),
    "dd": lambda at: f"{at.day:02}",
    "M": lambda at: str(at.month),
    "MM": lambda at: f"{at.month:02}",
    "y": lambda at: str(at.year),
}
_MONTHS = {
    "MMM": ("format", "abbreviated"),
    "MMMM": ("format", "wide"),
    "LLL": ("stand-alone", "abbreviated"),
    "LLLL": ("stand-alone", "wide"),
}


COUNTRIES = frozenset(SUPPORTED_REGIONS)  # ISO 3166 codes with phone numbers


def countries() -> list[tuple[str, str]]:
    """Return codes and names of COUNTRIES in the reader's language, by name."""
    names = Locale.parse(_locale_of_lists(), sep="_").territories
    return sorted(((code, names.get(code, code)) for code in COUNTRIES), key=lambda pair: search_key(pair[1]))


def day(value: date) -> str:
    """Return e.g. 28 Nov 2026."""
    return _write("yMMMd", value)


def day_in_full(value: date) -> str:
    """Return e.g. 28 November 2026."""
    return _write("yMMMMd", value)


def day_of_year(value: date) -> str:
    """Return e.g. 28 Nov, where the year is obvious."""
    return _write("MMMd", value)


def month(value: date) -> str:
    """Return e.g. Nov 2026."""
    return _write("yMMM", value)


def moment(value: datetime) -> str:
    """Return e.g. 28 Nov 2026, 15:26, in the reader's time zone."""
    local = timezone.localtime(value)
    return f"{day(local)}, {clock(local)}"


def moment_and_zone(value: datetime) -> str:
    """Return e.g. 28 Nov 2026, 15:26 CET: for emails, whose reader may be in another zone."""
    return f"{moment(value)} {timezone.localtime(value).tzname()}"


def clock(value: datetime) -> str:
    """Return e.g. 15:26, or 3:26 PM in locales that use it; from a local time."""
    halves = _halves(current.get())
    if halves is None:
        return f"{value.hour:02}:{value.minute:02}"
    return f"{value.hour % 12 or 12}:{value.minute:02} {halves[value.hour >= 12]}"


def number(value: Number, digits: int | None = None) -> str:
    """Return e.g. 1,240 or 12.5: with thousands separators, and the number's own decimals or `digits` of them."""
    text = f"{value:,f}" if digits is None else f"{_rounded(value, digits):,f}"
    if digits is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.translate(_separators(current.get()))


def typed(value: Number, least: int = 0) -> str:
    """Return 1240 or 12,5 for an input: as the reader would type it, without grouping. read_number() reads it back.

    A number that isn't whole has at least so many decimals.
    """
    text = f"{Decimal(str(value)):f}"
    if "." in text:
        whole, decimals = text.rstrip("0").split(".")
        text = f"{whole}.{decimals.ljust(least, '0')}" if decimals else whole
    return text.replace(".", get_decimal_symbol(current.get()))


def read_number(text: str) -> str:
    """Convert a number in the reader's format to code notation: in German 48.000,50 becomes 48000.50.

    A point that can't separate thousands is a decimal point in every locale: 12.5. Other text is returned unchanged.
    """
    group, decimal = get_group_symbol(current.get()), get_decimal_symbol(current.get())
    dense = "".join(text.split()).replace("’", "'")
    group = "" if group.isspace() else group.replace("’", "'")
    grouped = rf"[+-]?[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+(?:{re.escape(decimal)}\d*)?"
    if group and re.fullmatch(grouped, dense, re.ASCII):
        return dense.replace(group, "").replace(decimal, ".")
    if re.fullmatch(rf"[+-]?\d*{re.escape(decimal)}?\d*", dense, re.ASCII):
        return dense.replace(decimal, ".")
    return dense if re.fullmatch(r"[+-]?\d*\.\d*", dense, re.ASCII) else text


def read_day(text: str) -> str:
    """Return a date that the reader typed in digits as ISO: 31.12.2026 in German, 12/31/26 in US English.

    Anything else stays as it is. A year of two digits is one of this century.
    """
    parts = re.fullmatch(r"\s*(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})\s*", text, re.ASCII)
    if not parts:
        return text
    pattern = Locale.parse(current.get()).date_formats["short"].pattern
    first, second, year = map(int, parts.groups())
    month, of_month = (first, second) if pattern.index("M") < pattern.index("d") else (second, first)
    try:
        return date(year + 2000 if year < 100 else year, month, of_month).isoformat()
    except ValueError:
        return text


def percent(fraction: Number, digits: int = 1) -> str:
    """Return 0.117 as 11.7%; integers without decimals."""
    shown = _rounded(Decimal(str(fraction)) * 100, digits)
    before, after = _around_percent(current.get())
    return f"{before}{number(shown)}{after}"


def money(amount: Number, currency: str) -> str:
    """Return e.g. €25,000, or €25,000.50: cents only if there are any."""
    amount = Decimal(str(amount)) if isinstance(amount, float) else Decimal(amount)
    before, after = _around_money(current.get(), currency)
    sign = "-" if amount < 0 else ""
    whole = amount == amount.to_integral_value()
    return f"{sign}{before}{number(abs(amount), 0 if whole else 2)}{after}"


def file_size(size: int) -> str:
    """Return e.g. 812 bytes, 42 KB, 1.3 MB or 10 GB."""
    if size < 1 << 10:
        return ngettext("{number} byte", "{number} bytes", size).format(number=number(size))
    if size < 1 << 20:
        return gettext("{size} KB").format(size=_shortened(size, 10))
    if size < 1 << 30:
        return gettext("{size} MB").format(size=_shortened(size, 20))
    return gettext("{size} GB").format(size=_shortened(size, 30))


def _shortened(size: int, power: int) -> str:
    """Return a size in units of 2 ** power, with one decimal below ten."""
    value = size / (1 << power)
    return number(float(_rounded(value, 1 if value < 9.95 else 0)))


def either(texts: Sequence[str]) -> str:
    """Return “Lead, Qualified or Customer” in the language, whatever the formats are."""
    return format_list(texts, style="or", locale=_locale_of_lists())


def both(texts: Sequence[str]) -> str:
    """Return “Lead, Qualified and Customer” in the language, whatever the formats are."""
    return format_list(texts, locale=_locale_of_lists())


def _locale_of_lists() -> str:
    # British English writes no comma before "or". A language that Babel doesn't know is written as English is.
    language = active_language() or "en"
    return language if language != "en" and localedata.exists(language) else "en_GB"


def _rounded(value: Number, digits: int) -> Decimal:
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _write(skeleton: str, value: date) -> str:
    return _written(current.get(), skeleton, value.year, value.month, value.day)


@lru_cache(maxsize=5000)  # the rows of a list share their days
def _written(code: str, skeleton: str, year: int, month: int, day: int) -> str:
    value = date(year, month, day)
    return "".join([part if isinstance(part, str) else part(value) for part in _parts(code, skeleton)])


@lru_cache(maxsize=100)
def _parts(code: str, skeleton: str) -> list[str | Callable[[date], str]]:
    """Return a locale's pattern as texts and functions that write a field of the date."""
    locale = Locale.parse(code)
    tokens: list[tuple[str, Any]] = tokenize_pattern(locale.datetime_skeletons[skeleton].pattern)
    return [found if kind == "chars" else _field(locale, found[0] * found[1]) for kind, found in tokens]


def _field(locale: Locale, letters: str) -> Callable[[date], str]:
    if letters not in _MONTHS:
        return _FIELDS[letters]
    context, width = _MONTHS[letters]
    names = dict(locale.months[context][width])
    return lambda at: names[at.month]


@lru_cache(maxsize=100)
def _halves(code: str) -> tuple[str, str] | None:
    """Return the words for am and pm; None where the clock has 24 hours."""
    locale = Locale.parse(code)
    has_halves = "a" in locale.time_formats["short"].pattern
    return (locale.periods["am"], locale.periods["pm"]) if has_halves else None


@lru_cache(maxsize=100)
def _separators(code: str) -> dict[int, str]:
    return {ord(","): get_group_symbol(code), ord("."): get_decimal_symbol(code)}


@lru_cache(maxsize=100)
def _around_percent(code: str) -> tuple[str, str]:
    before, _, after = format_percent(1, locale=code).partition("100")
    return before, after


@lru_cache(maxsize=500)
def _around_money(code: str, currency: str) -> tuple[str, str]:
    """Return the text before and after an amount's digits."""
    symbol = SYMBOLS.get(currency, currency)
    positive = Locale.parse(code).currency_formats["standard"].pattern.split(";")[0]
    before, _, after = positive.partition("#,##0.00")
    gap = " " if before == "¤" and symbol.isalpha() else ""
    return before.replace("¤", symbol + gap), after.replace("¤", symbol)
