"""Names and keys of pipelines and stages."""

import re
from collections.abc import Collection, Iterator
from itertools import count

from crm.kit import formats
from crm.kit.errors import Invalid
from crm.kit.text import search_key
from crm.kit.translation import gettext as _

LONGEST, LONGEST_KEY = 80, 30
FORBIDDEN = re.compile(r"[\[\]\"\n\r\t\0]")  # conditions write labels in quotes or brackets


def clean_label(text: str, field: str) -> str:
    """Return a name with single spaces. Raises Invalid for `field` if it is empty, too long or unwritable."""
    text = " ".join(text.split())
    if not text:
        raise Invalid({field: _("Enter a name.")})
    if len(text) > LONGEST:
        raise Invalid({field: _("Enter up to {count} characters.").format(count=formats.number(LONGEST))})
    if FORBIDDEN.search(text):
        raise Invalid({field: _("Names can’t contain square brackets or double quotes.")})
    return text


def free_key(label: str, taken: Collection[str]) -> str:
    """Return a key made from a label that is not taken: “In review” becomes in_review, then in_review_2."""
    return next(key for key in _keys(label) if key not in taken)


def _keys(label: str) -> Iterator[str]:
    letters = "".join(sign if sign.isascii() and sign.isalnum() else " " for sign in search_key(label))
    key = "_".join(letters.split())
    key = (key if key[:1].isalpha() else f"stage_{key}").strip("_")[: LONGEST_KEY - 4].strip("_")
    yield key
    yield from (f"{key}_{number}" for number in count(2))
