"""Time limits of statements, and a limit on concurrent expensive requests.

Every statement of a page has a limit. User-defined queries (filter, search, selection) have a shorter one and need a
turn: they end with a message instead of a page that never loads, and leave threads to others.

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

PAGE = 10  # seconds per statement of a page
SHAPED = 3  # for user-defined queries
LONG = 60  # for an export or bulk action, which users expect to take a while
PATIENT = 600  # for changes of tens of thousands of records in one request
# Server threads (crm.kit.server) that expensive requests can occupy, running and waiting. As many run as there are
# processors for them: on SQLite they compute in this process, and delay concurrent saves.
turns = FairSemaphore(size=max(2, min(4, os.cpu_count() or 1)), queue=5, patience=5)
SET_TIMEOUT = "SELECT set_config('statement_timeout', %s, %s)"
SIGNS_OF_TIMEOUT = ("statement timeout", "interrupted")  # not a text
_limit: ContextVar[float] = ContextVar("statement_limit", default=0)
# Released when the request ends; None outside one.
_request: ContextVar[ExitStack | None] = ContextVar("request", default=None)
_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


def statement_limit() -> float:
    """Return the current limit per statement in seconds; 0 for none, as in commands and the engine."""
    return _limit.get()


@contextmanager
def request_limits() -> Iterator[None]:
    """Wrap a request: each statement has PAGE seconds, and expensive work needs a turn."""
    with ExitStack() as stack, _set(_limit, PAGE), _set(_request, stack), _set(_has_turn, False):
        yield


@contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """Give the block's reads a turn and `seconds` (SHAPED) per statement. Raises TooSlow and Busy."""
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
    """Give the block, with transactions of its own, a turn and longer statements. Raises Busy."""
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
    """Return whether the database stopped a statement at its time limit."""
    return isinstance(error, OperationalError) and any(sign in str(error) for sign in SIGNS_OF_TIMEOUT)


def _take_turn() -> None:
    """Take a turn for the rest of the request: rendering results costs this process as much as finding them."""
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
        # No transaction here: it would take SQLite's write lock, and a search would wait for a running import.
        yield
        return
    nested = connection.in_atomic_block
    with transaction.atomic():
        _set_timeout(seconds, lasting=False)
        yield
        if nested:
            _set_timeout(before, lasting=False)  # otherwise it would last until the outer transaction ends


def _set_timeout(seconds: float, *, lasting: bool) -> None:
    """Set PostgreSQL's timeout; SQLite's backend calls statement_limit() before each statement."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(SET_TIMEOUT, [f"{int(seconds * 1000)}ms", not lasting])


def _limit_new_connection(sender, connection, **kwargs) -> None:
    # Once per connection, which a server thread keeps: once per request would add a statement.
    if connection.vendor == "postgresql" and _request.get():
        with connection.cursor() as cursor:
            cursor.execute(SET_TIMEOUT, [f"{PAGE * 1000}ms", False])


connection_created.connect(_limit_new_connection, dispatch_uid="statement_limit")
