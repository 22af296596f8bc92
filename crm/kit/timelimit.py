"""How long a statement may run, and how many requests may run expensive ones at once.

Every statement of a page has a limit. What a person shapes (a filter, a search, a selection) has a shorter one and
needs a turn: it ends with a sentence rather than with a page that does not come, and leaves threads to everybody else.

Why: docs/decisions/0066-expensive-requests-have-a-limit-and-a-turn.md
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.backends.signals import connection_created

from crm.kit.errors import TooSlow
from crm.kit.pool import FairSemaphore
from crm.kit.read_tracking import current_reader
from crm.kit.translation import gettext as _

PAGE = 10  # seconds, for each statement of a page
SHAPED = 3  # for what a person shapes
LONG = 60  # for an export or a bulk action, which is expected to take a while
PATIENT = 600  # for what changes tens of thousands of records in one request
# Of the threads of the server (crm.kit.server) expensive requests can occupy these, running and waiting.
# As many run as there are processors for them: on SQLite they compute in this process, and a save beside them waits.
turns = FairSemaphore(size=max(2, min(4, os.cpu_count() or 1)), queue=5, patience=5)
SET_TIMEOUT = "SELECT set_config('statement_timeout', %s, %s)"
SIGNS_OF_TIMEOUT = ("statement timeout", "interrupted")  # not a text
_limit: ContextVar[float] = ContextVar("statement_limit", default=0)
# What is given back when the request ends; None outside one.
_request: ContextVar[ExitStack | None] = ContextVar("request", default=None)
_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


def statement_limit() -> float:
    """The seconds that each statement has here and now; 0 for no limit, as in commands and the engine."""
    return _limit.get()


@contextmanager
def request_limits() -> Iterator[None]:
    """Around a request: each statement has PAGE seconds, and what is expensive waits for its turn."""
    with ExitStack() as stack, _set(_limit, PAGE), _set(_request, stack), _set(_has_turn, False):
        yield


@contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """Give what the block reads a turn, and each of its statements `seconds` (SHAPED). Raises TooSlow, and Busy."""
    seconds, before = seconds or SHAPED, statement_limit()
    _take_turn()
    with _set(_limit, seconds):
        try:
            with _reading(seconds, before):
                yield
        except OperationalError as error:
            if is_timeout(error):
                sentence = _("This search is taking too long. Narrow it by stage, owner, team or last activity.")
                raise TooSlow(sentence) from None
            raise


@contextmanager
def long_request(seconds: float = LONG) -> Iterator[None]:
    """Give what the block does, in transactions of its own, a turn and longer statements. Raises Busy."""
    before = statement_limit()
    _take_turn()
    with _set(_limit, seconds):
        _set_timeout(seconds, lasting=True)
        try:
            yield
        finally:
            if not connection.needs_rollback:
                _set_timeout(before, lasting=True)


def is_timeout(error: Exception) -> bool:
    """Whether the database stopped a statement because its time was over."""
    return isinstance(error, OperationalError) and any(sign in str(error) for sign in SIGNS_OF_TIMEOUT)


def _take_turn() -> None:
    """A turn for the rest of the request: to show what was found costs this process as much as to find it."""
    stack, who = _request.get(), current_reader()
    if stack and not _has_turn.get():
        stack.enter_context(turns.turn(who and who.member_id))
        _has_turn.set(True)


@contextmanager
def _set(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


@contextmanager
def _reading(seconds: float, before: float) -> Iterator[None]:
    if connection.vendor != "postgresql":
        # No transaction here: it would take SQLite's one write lock, and a search would wait for whoever is importing.
        yield
        return
    nested = connection.in_atomic_block
    with transaction.atomic():
        _set_timeout(seconds, lasting=False)
        yield
        if nested:
            _set_timeout(before, lasting=False)  # else it would last until the outer transaction ends


def _set_timeout(seconds: float, *, lasting: bool) -> None:
    """On PostgreSQL; SQLite's backend asks statement_limit() before each statement."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(SET_TIMEOUT, [f"{int(seconds * 1000)}ms", not lasting])


def _limit_new_connection(sender, connection, **kwargs) -> None:
    # Once for each connection, which a thread of the server keeps: for each request it would be a statement more.
    if connection.vendor == "postgresql" and _request.get():
        with connection.cursor() as cursor:
            cursor.execute(SET_TIMEOUT, [f"{PAGE * 1000}ms", False])


connection_created.connect(_limit_new_connection, dispatch_uid="statement_limit")
