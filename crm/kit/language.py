"""Language and formats: the member's own, then the workspace's, then the browser's.

Why: docs/decisions/0074-labels-are-lazy-formats-are-ours.md
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.conf import settings

from crm.kit import formats
from crm.kit.translation import speak

FORMATS_OF = {"en": "en_GB", "de": "de_DE", "es": "es_ES", "fr": "fr_FR"}  # defaults if none were chosen
FORMATS = ("en_GB", "en_US", "de_DE", "de_CH", "es_ES", "es_MX", "fr_FR", "fr_CA")


@contextmanager
def speaking(language: str, locale: str = "") -> Iterator[None]:
    """Use `language` ('' for the default) for texts and `locale` for dates, numbers and money, inside the block."""
    language = language or settings.LANGUAGE_CODE
    token = formats.current.set(locale or FORMATS_OF.get(language, formats.DEFAULT))
    try:
        with speak(language):
            yield
    finally:
        formats.current.reset(token)


def speaking_in(workspace) -> AbstractContextManager[None]:
    """speaking() as a workspace does: for what is stored for all its members, by no matter whose request."""
    return speaking(workspace.language, workspace.formats)


@contextmanager
def speaking_to(user, workspace) -> Iterator[None]:
    """speaking() with a user's profile settings, falling back to the workspace's."""
    language = user.language or workspace.language
    with speaking(language, user.formats or ("" if user.language else workspace.formats)):
        yield
