"""Text made comparable: the same in Python, SQLite and PostgreSQL because it is made in Python and stored."""

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format

LONGEST = 50_000  # characters of a long text, such as notes: some twenty pages
_NO_DIGITS = re.compile(r"\D+")


def search_key(text: str) -> str:
    """`text` without case, accents and double spaces, for searching and sorting: 'Tomás  ORTEGA' → 'tomas ortega'."""
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def email_key(email: str) -> str:
    """The key two spellings of one address share; SQLite folds ASCII only, hence Python."""
    email = email.strip()
    return email.lower() if email.isascii() else unicodedata.normalize("NFKC", email).casefold()


def digits(phone: str) -> str:
    """The digits of a phone number, so that a search for 600100 finds '+34 600 100 200'."""
    return _NO_DIGITS.sub("", phone)


def one_line(text: str) -> str:
    """`text` without line breaks and other control characters, one space between words."""
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())


def initials(name: str) -> str:
    """Up to two initials: 'Ana Ruiz' → 'AR'."""
    words = [w for w in name.split() if w[0].isalnum()]
    return "".join(w[0] for w in (words[:1] + words[1:][-1:])).upper() or "?"


SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


def figure(value: Any) -> str:
    """A number as people write it: thousands apart, no idle zeros."""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return str(number_format(text, use_l10n=True, force_grouping=True))


def counted(number: Any, things: str) -> str:
    """How many of what is named in the plural: 1 day, 2 days."""
    return f"{number} {things.removesuffix('s') if str(number) == '1' else things}"


def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency, cents where there are any: €48,000 or AED 1,250.50."""
    shown = figure(amount) if amount == amount.to_integral_value() else f"{amount:,.2f}"
    return f"{SYMBOLS[currency]}{shown}" if currency in SYMBOLS else f"{currency} {shown}".strip()
