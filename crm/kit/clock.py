"""The clock of all verbs: now, or the time set by an import, replay or test."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.utils import timezone

_moment: ContextVar[datetime | None] = ContextVar("moment", default=None)


def now() -> datetime:
    """Return the time of the current change, aware, in UTC."""
    return _moment.get() or timezone.now()


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Set the clock to `moment` (aware) inside the block."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)
