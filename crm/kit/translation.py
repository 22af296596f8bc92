"""Django's translation functions, with lazy ones typed as str: labels are declared as `label: str`.

Use gettext_lazy() in modules and classes, gettext() in functions. A page asks for some hundred and fifty texts; what
was found once is kept, since Django looks through the catalogs of eight packages for each.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.functional import Promise, lazy
from django.utils.translation import get_language, ngettext, override

_found: dict[tuple[str, ...], str] = {}  # bounded by the texts of the code
# Django keeps its language where each question takes a microsecond; None outside speak().
_language: ContextVar[str | None] = ContextVar("language", default=None)


@contextmanager
def speak(language: str) -> Iterator[None]:
    """Make a language the active one in the block. Use this in place of Django's override(), which it includes."""
    token = _language.set(language)
    try:
        with override(language):
            yield
    finally:
        _language.reset(token)


def active_language() -> str | None:
    return _language.get() or get_language()


def gettext(message: str) -> str:
    """Return a text of the code in the active language."""
    language = _language.get()
    if language is None:
        return translation.gettext(message)
    try:
        return _found[language, message]
    except KeyError:
        return _found.setdefault((language, message), translation.gettext(message))


def pgettext(context: str, message: str) -> str:
    """Return a text whose translation depends on where it stands."""
    language = _language.get()
    if language is None:
        return translation.pgettext(context, message)
    try:
        return _found[language, context, message]
    except KeyError:
        return _found.setdefault((language, context, message), translation.pgettext(context, message))


if TYPE_CHECKING:

    def gettext_lazy(message: str) -> str: ...
    def pgettext_lazy(context: str, message: str) -> str: ...
else:
    gettext_lazy = lazy(gettext, str)
    pgettext_lazy = lazy(pgettext, str)

__all__ = [
    "active_language",
    "gettext",
    "gettext_lazy",
    "in_english",
    "ngettext",
    "pgettext",
    "pgettext_lazy",
    "speak",
    "translated",
]


def translated(stored: str) -> str:
    """Return a text that was stored in English in the reader's language; unknown texts stay as they are."""
    return translation.gettext(stored) if stored else stored


def in_english(label: str) -> str:
    """Return a label in English, as used by conditions, files and the API in every language."""
    if not isinstance(label, Promise):
        return label
    with speak("en"):
        return str(label)
