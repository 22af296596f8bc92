"""Cost of translation: pages as they are against the same pages with every text as it stands in the code."""

import logging
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils.translation import _trans, trans_null  # type: ignore[attr-defined]

from bench.data import place
from bench.measure import Ratio
from bench.pages import VIEW, client
from crm.kit import translation

TURNS, PAGES = 6, 25  # of a measurement: both sides alternate, so that what the machine does meanwhile hits both
LANGUAGES = ("en", "de")


def ratios(size: int) -> Iterator[Ratio]:
    """Yield the processor time of a list page with translation over that without, in two languages."""
    logging.disable(logging.INFO)
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["testserver"], False
    manager = place("large", size).manager
    signed_in = client(manager)
    for language in LANGUAGES:
        page = _page(signed_in, manager.user, language)
        yield Ratio("12b", f"list page, {language}: with translation / without, CPU", 1.03, _pairs(page))


def _page(signed_in, user, language: str) -> Callable[[], object]:
    def get() -> object:
        type(user).objects.filter(pk=user.pk).update(language=language)
        return signed_in.get(VIEW)

    return get


def _pairs(page: Callable[[], object]) -> Callable[[], float]:
    """Return a measurement. The first pages after a change of sides are left out: Python adapts to new code."""

    def take() -> float:
        translated: list[float] = []
        plain: list[float] = []
        for _ in range(TURNS):
            translated += _turn(page)
            with untranslated():
                plain += _turn(page)
        return statistics.median(translated) / statistics.median(plain)

    return take


def _turn(page: Callable[[], object]) -> list[float]:
    return [_cpu(page) for _ in range(PAGES)][5:]


def _cpu(page: Callable[[], object]) -> float:
    started = time.process_time()
    page()
    return time.process_time() - started


@contextmanager
def untranslated() -> Iterator[None]:
    """Return texts as they stand in the code within the block."""
    names = ("gettext", "ngettext", "pgettext", "npgettext")
    before = {name: getattr(_trans, name) for name in names}
    own = (translation.gettext, translation.pgettext)  # imported by their callers, so their code is exchanged
    code = [function.__code__ for function in own]
    try:
        for name in names:
            setattr(_trans, name, getattr(trans_null, name))
        translation.gettext.__code__ = trans_null.gettext.__code__
        translation.pgettext.__code__ = trans_null.pgettext.__code__
        yield
    finally:
        for function, written in zip(own, code, strict=True):
            function.__code__ = written
        for name, function in before.items():
            setattr(_trans, name, function)
