"""Django's functions of translation, whose lazy ones pass for text: labels are declared as `label: str`.

gettext_lazy() is for what a module or a class declares, gettext() for what a function returns.
"""

from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, override, pgettext

if TYPE_CHECKING:

    def gettext_lazy(message: str) -> str: ...
    def pgettext_lazy(context: str, message: str) -> str: ...
else:
    from django.utils.translation import gettext_lazy, pgettext_lazy

__all__ = ["gettext", "gettext_lazy", "in_english", "ngettext", "pgettext", "pgettext_lazy", "translated"]


def translated(stored: str) -> str:
    """A text that was stored in English, in the language of the reader; what no catalog knows stays as it is."""
    return gettext(stored) if stored else stored


def in_english(label: str) -> str:
    """A label as conditions, files and the API write it in every language."""
    if not isinstance(label, Promise):
        return label
    with override("en"):
        return str(label)
