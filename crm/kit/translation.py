"""Django's translation functions, with lazy ones typed as str: labels are declared as `label: str`.

Use gettext_lazy() in modules and classes, gettext() in functions.
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
    """Return a label in English, as used by conditions, files and the API in every language."""
    if not isinstance(label, Promise):
        return label
    with override("en"):
        return str(label)
