"""Normalization and comparison of text.

search_key() folds differences that people ignore; it is computed in Python and stored, so that SQLite and PostgreSQL
agree. fold() folds only case, and has an SQL twin (crm/entities/text.py) for fields without a key.

Why: docs/decisions/0028-names-have-one-key.md
"""

import re
import unicodedata

import idna

LONGEST = 50_000  # characters of a long text, such as notes: some twenty pages
_NO_DIGITS = re.compile(r"\D+")
_DOMAIN = re.compile(r"(?=.{1,200}\Z)(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


_CONTROLS = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROLS_OF_LINES = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f]+")
# Keyboard and word-processor variants of one character; zero-width characters are dropped.
_SIGNS = (
    dict.fromkeys((0x60, 0xB4, 0x2B9, 0x2BB, 0x2BC, 0x2BD, 0x2C8, *range(0x2018, 0x201C), 0x2032, 0xFF07), "'")
    | dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFF0D), "-")
    | dict.fromkeys((0xAB, 0xBB, *range(0x201C, 0x2020), 0x2033), '"')
    | dict.fromkeys((0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF), None)
)
# Letters without a Unicode decomposition.
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


def normalize_line(text: str) -> str:
    """Normalize `text` for a single-line field: composed (NFC), control characters and line breaks as one space."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return _CONTROLS.sub(" ", unicodedata.normalize("NFC", text)).strip()


def normalize_multiline(text: str) -> str:
    """Normalize `text` for a multi-line field: composed (NFC), line breaks as LF, other control characters as spaces.

    Browsers send line breaks as CR LF, even ones received as LF: that must not count as a change.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROLS_OF_LINES.sub(" ", text).strip()


def search_key(text: str) -> str:
    """Return the key shared by texts that count as the same name: for matching, searching, sorting and conditions.

    Ignores case, accents, double spaces and variants of apostrophes, dashes and quotes: 'Łukasz  ORTEGA' → 'lukasz
    ortega'.
    """
    if text.isascii():
        return " ".join(text.replace("`", "'").lower().split())
    decomposed = unicodedata.normalize("NFKD", text.translate(_SIGNS)).casefold().translate(_LETTERS)
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def fold(text: str) -> str:
    """Return `text` in lower case with both small sigmas as one, so that position does not affect equality."""
    return text.lower().replace("\N{GREEK SMALL LETTER FINAL SIGMA}", "\N{GREEK SMALL LETTER SIGMA}")


def email_key(email: str) -> str:
    """Return the key shared by spellings of one address: case-folded, the domain in IDNA.

    SQLite folds only ASCII, hence Python.
    """
    email = email.strip()
    if email.isascii():
        return email.lower()
    local, at, domain = unicodedata.normalize("NFC", email).rpartition("@")
    return f"{local.casefold()}{at}{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    """Return bücher.example as xn--bcher-kva.example; text that is no domain only case-folded."""
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain.casefold()


def domain_key(text: str) -> str:
    """Return the domain of a domain name, URL or email address, in its ASCII form without "www."; '' if there is none.

    "https://www.Müller.example/kontakt" → "xn--mller-kva.example".
    """
    text = text.strip().lower()
    host = re.split("[/?#]", text.partition("://")[2] or text, maxsplit=1)[0]
    host = host.rpartition("@")[2].partition(":")[0].removeprefix("www.").rstrip(".")  # not a text
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return ""
    return host if _DOMAIN.fullmatch(host) else ""


def digits(phone: str) -> str:
    """Return the digits of a phone number, so that a search for 600100 finds '+34 600 100 200'."""
    return _NO_DIGITS.sub("", phone)


def collapse_to_one_line(text: str) -> str:
    """Return `text` without line breaks and control characters, with single spaces."""
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())


def initials(name: str) -> str:
    """Return up to two initials: 'Ana Ruiz' → 'AR'."""
    words = [w for w in name.split() if w[0].isalnum()]
    return "".join(w[0] for w in (words[:1] + words[1:][-1:])).upper() or "?"
