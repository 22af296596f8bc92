"""A language in which every text that went through gettext stands in ⟦brackets⟧, and what a page shows outside them."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

from babel import Locale
from django.apps import apps
from django.db import connection
from django.utils.translation import trans_real

CODE = "xx"
WORD = re.compile(r"[^\W\d_]{2,}")
SHOWN = ("title", "placeholder", "aria-label", "alt", "content", "data-label", "data-everything", "data-drop-names")
NOT_TEXT = frozenset({"script", "style", "code", "kbd", "svg", "textarea", "pre"})
NAMES = {"Throughline", "CSV", "UTC", "XLSX", "JSON", "Deutsch", "Español", "Français", "English", "MCP", "UTF"}


class Pseudo(trans_real.DjangoTranslation):
    """Answers to every text, whatever the catalogs hold."""

    def __init__(self) -> None:
        self._catalog, self.plural, self.domain = {}, lambda number: int(number != 1), "django"

    def gettext(self, message):
        text = message.rpartition("\x04")[2]  # without the context of pgettext()
        return f"⟦{text}⟧" if text.strip() else text

    def ngettext(self, singular, plural, number):
        return f"⟦{singular if number == 1 else plural}⟧"

    def language(self):
        return CODE

    def to_language(self):
        return CODE


@contextmanager
def pseudo_language(settings) -> Iterator[None]:
    """CODE is a language that a member may have chosen, in the block."""
    settings.LANGUAGES = [*settings.LANGUAGES, (CODE, "Pseudo")]
    trans_real._translations[CODE] = Pseudo()
    try:
        yield
    finally:
        del trans_real._translations[CODE]


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in NOT_TEXT or "data-raw" in given or given.get("lang"):
            self._inside.append(tag) if tag != "html" else None
        if tag == "meta":
            return
        self.texts += [given[name] for name in SHOWN if given.get(name)]
        if tag == "input" and given.get("type") in ("submit", "button"):
            self.texts.append(given.get("value") or "")

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside:
            self.texts.append(data)


def untranslated(text: str, data: set[str], *, markup: bool = True) -> list[str]:
    """The texts that a page shows outside brackets, with words not in `data`; markup=False for a mail or a message.

    `data`: the words that people typed, as words_of_data() gives them.
    """
    texts = [text]
    if markup:
        parser = _Texts()
        parser.feed(text)
        texts = parser.texts
    return [" ".join(text.split()) for text in texts if set(WORD.findall(_outside(html.unescape(text)))) - data]


def _outside(text: str) -> str:
    """What stands outside the brackets, which may be nested: a text with a translated text in it."""
    outside, depth = [], 0
    for sign in text:
        depth += (sign == "⟦") - (sign == "⟧")
        outside.append(sign if depth == 0 and sign != "⟧" else " ")
    return "".join(outside)


def words_of_data() -> set[str]:
    """Every word in a row of the database, and what dates and amounts are written with."""
    words = set(NAMES)
    with connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)}")
            words.update(word for row in cursor.fetchall() for value in row for word in WORD.findall(str(value)))
    for months in Locale.parse("en_GB").months["format"].values():
        words.update(word for name in months.values() for word in WORD.findall(name))
    return words | {"CET", "CEST", "pp", "EUR", "USD"}
