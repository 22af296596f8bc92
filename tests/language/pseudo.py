"""A pseudo-language that puts every translated text in ⟦brackets⟧, and detection of texts outside them."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from unittest import mock
from zoneinfo import available_timezones

from babel import Locale
from django.apps import apps
from django.db import connection
from django.utils.translation import trans_real

from crm.entities.registry import all_entities
from crm.kit import translation
from crm.kit.language import FORMATS
from crm.kit.templatetags import frame

CODE = "xx"
WORD = re.compile(r"[^\W\d_]{2,}")
SHOWN = ("title", "placeholder", "aria-label", "alt", "content", "data-label", "data-everything", "data-drop-names")
VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
SYNTAX = {"and", "or", "not", "in", "any", "is", "empty", "days", "ago", "from", "now", "me", "my", "team", "today"}
NOT_TEXT = frozenset({"script", "style", "code", "kbd", "svg", "textarea", "pre"})
NAMES = {"Throughline", "CSV", "UTC", "XLSX", "PNG", "JSON", "Deutsch", "Español", "Français", "English", "MCP", "UTF"}


class Pseudo(trans_real.DjangoTranslation):
    """A catalog that answers every text, lengthened by `longer`."""

    def __init__(self, longer: float) -> None:
        self._catalog, self.plural, self.domain = {}, lambda number: int(number != 1), "django"
        self.longer = longer

    def gettext(self, message):
        text = message.rpartition("\x04")[2]  # without pgettext()'s context
        return f"⟦{text}{self._more(text)}⟧" if text.strip() else text

    def ngettext(self, singular, plural, number):
        return self.gettext(singular if number == 1 else plural)

    def _more(self, text: str) -> str:
        """Return words of at most eight letters, the first attached to the text's last, like compounds."""
        length = round(len(text) * self.longer)
        return " ".join("ö" * min(8, length - start) for start in range(0, length, 8))

    def language(self):
        return CODE

    def to_language(self):
        return CODE


@contextmanager
def pseudo_language(settings, longer: float = 0) -> Iterator[None]:
    """Offer the language CODE to members in the block, with texts longer by that share."""
    settings.LANGUAGES = [*settings.LANGUAGES, (CODE, "Pseudo")]
    trans_real._translations[CODE] = Pseudo(longer)
    # Django requires a catalog on disk before it uses a browser's language.
    with mock.patch.object(trans_real, "translation_catalog_exists", return_value=True):
        _forget()
        yield
    del trans_real._translations[CODE]
    _forget()


def _forget() -> None:
    trans_real._get_supported_language_variant.cache_clear()
    translation._found.clear()
    frame._words.cache_clear()
    frame._script_texts.cache_clear()


class _Texts(HTMLParser):
    """Texts outside brackets, tracked across text nodes, because a sentence may contain tags."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in VOID:
            pass
        elif self._inside or tag in NOT_TEXT or given.get("aria-hidden") == "true":
            self._inside.append(tag)
        if tag == "meta":
            return
        texts = [given[name] for name in SHOWN if given.get(name)]
        if tag == "input" and given.get("type") in ("submit", "button"):
            texts.append(given.get("value") or "")
        self.texts += [outside(text)[0] for text in texts]

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside:
            text, self._depth = outside(data, self._depth)
            self.texts.append(text)


def untranslated(page: str, data: set[str]) -> list[str]:
    """Return a page's texts outside brackets with words not in `data`, i.e. user input."""
    parser = _Texts()
    parser.feed(page)
    return [" ".join(text.split()) for text in parser.texts if set(WORD.findall(html.unescape(text))) - data]


def outside(text: str, depth: int = 0) -> tuple[str, int]:
    """Return the text outside (possibly nested) brackets, and the number open at the end."""
    signs = []
    for sign in text:
        depth += (sign == "⟦") - (sign == "⟧")
        signs.append(sign if depth == 0 and sign != "⟧" else " ")
    return "".join(signs), depth


def words_of_data() -> set[str]:
    """Return every word in the database's rows, and in dates and amounts."""
    words = set(NAMES)
    with connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)}")
            words.update(word for row in cursor.fetchall() for value in row for word in WORD.findall(str(value)))
    words.update(word[:2].upper() for word in tuple(words))  # initials
    for kind in all_entities():
        if kind.model.__module__.startswith("tests."):
            words.update(WORD.findall(f"{kind.label} {kind.plural}"))
    for code in FORMATS:
        for months in Locale.parse(code).months["format"].values():
            words.update(word for name in months.values() for word in WORD.findall(name))
    countries = Locale.parse("en_GB").territories  # Babel doesn't know the pseudo-language either
    words.update(word for name in countries.values() for word in WORD.findall(name))
    words.update(word for name in available_timezones() for word in WORD.findall(name))
    return words | SYNTAX | {"CET", "CEST", "EUR", "USD", "PM", "Pseudo"}
