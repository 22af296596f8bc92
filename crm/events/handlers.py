"""Handlers: what an app does after an event is committed. Only the engine calls them.

    # crm/notifications/handlers.py, imported by the app's ready()
    @handles("lead.assigned", "contact.assigned")
    def notify_owner(event, *, by):
        ...

`event` is the Event row (name, entity, entity_id, person, member_id, old_values, new_values, at) with its workspace in
scope; `by` is a new system Actor for the verbs that the handler calls: it writes only through verbs.

The engine guarantees:
- Each event reaches each interested handler at least once, also after a crash, a lost broker or a restart.
- A handler gets the events of one record (entity, entity_id) one by one, in order of id. Events of different records
  run in parallel. A failing event blocks only later events of its record.
- The handler runs in a transaction that also marks the delivery done, so its database changes happen once. It must not
  call external systems meanwhile; on SQLite it blocks all other writers.
- An exception rolls the changes back, and the event is retried after 1, 2, 4 … seconds, ten times in all. Then the
  delivery is dead: operators see the first line of the error and can retry it.

A handler with external effects (email, webhooks) is `outward`: called outside any transaction, and possibly twice after
a crash, so it passes `event.pk` on as the key by which the receiver detects duplicates (Message-ID, Idempotency-Key).

Keep handlers under 50 seconds, Celery's limit. `queue` is the handler's lane (QUEUES): a slow mail server then delays
only email, and a campaign no notification. Handlers do not get events recorded before their deployment.

A handler registered by predicate (`handles(when=wants)`) gets the events for which `wants(name)` is true in the
workspace in scope at recording time, except those recorded in on_hold(), e.g. by imports.

In tests: call the handler, or run the whole engine by `from crm.events.engine import drain; drain()`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from crm.events.registry import all_events
from crm.kit.registry import Registry

QUEUES = ("celery", "scores", "workflows", "mail", "campaigns", "webhooks")  # Celery's own default comes first
_held: ContextVar[bool] = ContextVar("held", default=False)


class UnknownHandler(LookupError):
    """A delivery names a handler that no longer exists in the code."""


@dataclass(frozen=True)
class Handler:
    """A function that handles some events; deliveries refer to it by its dotted path, `name`.

    `when` selects by predicate instead of by name, among the events that have an audit entry.
    """

    name: str
    function: Callable
    events: tuple[str, ...]
    queue: str
    outward: bool
    when: Callable[[str], bool] | None = None

    def names(self) -> tuple[str, ...]:
        return tuple(kind.name for kind in all_events() if kind.action) if self.when else self.events


_handlers: Registry[Handler] = Registry("handler")


def handles(
    *events: str, queue: str = "celery", outward: bool = False, when: Callable[[str], bool] | None = None
) -> Callable[[Callable], Callable]:
    """Register the decorated `function(event, *, by)` to be called after each of `events` is committed.

    Renaming or moving it orphans its open deliveries, which then die under the old name. Raises ValueError for an
    unknown queue or a second handler of that name.
    """

    def register(function: Callable) -> Callable:
        name = f"{function.__module__}.{function.__qualname__}"
        if queue not in QUEUES:
            raise ValueError(f"{name}: there is no queue {queue!r}; there are {', '.join(QUEUES)}.")
        _handlers.add(name, Handler(name, function, events, queue, outward, when))
        return function

    return register


def all_handlers() -> list[Handler]:
    return list(_handlers.values())


def handler_named(name: str) -> Handler:
    """Return the handler with that dotted path. Raises UnknownHandler."""
    try:
        return _handlers[name]
    except KeyError:
        raise UnknownHandler(f"The code has no handler called {name}.") from None


def has_handler(event: str) -> bool:
    """Return whether any handler wants `event` in the workspace in scope."""
    if any(event in handler.events for handler in _handlers.values()):
        return True
    return not _held.get() and any(handler.when and handler.when(event) for handler in _handlers.values())


@contextmanager
def on_hold() -> Iterator[None]:
    """Withhold events recorded in the block from handlers that select by `when`, until a person confirms them."""
    token = _held.set(True)
    try:
        yield
    finally:
        _held.reset(token)
