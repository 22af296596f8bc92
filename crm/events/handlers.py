"""Handlers: what an app does after an event has been committed. The engine calls them; nobody else does.

    # crm/notifications/handlers.py, imported by the app's ready()
    @handles("lead.assigned", "contact.assigned")
    def tell_owner(event, *, by):
        ...

`event` is the Event row (name, entity, entity_id, person, member_id, old_values, new_values, at); its workspace is in
scope; `by` is a fresh Actor, the system, for the verbs that the handler calls: it writes through verbs alone.

What the engine promises:
- Each event reaches each handler that wants it at least once, also after a crash, a lost broker or a restart.
- Of one record (entity, entity_id) a handler sees the events one after the other, in the order of their ids. Events of
  different records run in parallel. An event that fails keeps back only the later ones of its record.
- The handler runs in a transaction that also marks the delivery done: its effect in the database happens once. It must
  not talk to anything outside meanwhile; on SQLite nobody else could write.
- An exception takes its changes back and the event is tried again after 1, 2, 4 … seconds, ten times in all. Then it
  is dead: operators see it with the first line of the error, and run it again.

What reaches outside (mail, webhooks) is `outward`: called outside any transaction, and after a crash perhaps twice, so
it hands on `event.pk` as the key by which the other side recognises the second time (Message-ID, Idempotency-Key).

Keep a handler under 50 seconds: Celery ends it there. `queue` is the lane it runs in (QUEUES); a slow mail server then
holds up mail alone, and a campaign no notification. Events recorded before a handler was deployed are not told to it.

One that does not know its events by name (`handles(when=wants)`) is told of those for which `wants(name)` is true in
the workspace in scope when they are recorded; never of what is recorded while on_hold(), as imports are.

In tests: call the handler, or let the whole engine run with `from crm.events.engine import drain; drain()`.
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
    """A delivery names a handler that the code has no more."""


@dataclass(frozen=True)
class Handler:
    """A function that wants some events. `name` is its dotted path, under which its deliveries are kept.

    `when`: asked instead, of each event that the log has an entry of.
    """

    name: str
    function: Callable
    events: tuple[str, ...]
    queue: str
    outward: bool
    when: Callable[[str], bool] | None = None

    def names(self) -> tuple[str, ...]:
        return tuple(kind.name for kind in all_events() if kind.action) if self.when else self.events

    def wants(self, event: str) -> bool:
        return event in self.events or bool(self.when and not _held.get() and self.when(event))


_handlers: Registry[Handler] = Registry("handler")


def handles(
    *events: str, queue: str = "celery", outward: bool = False, when: Callable[[str], bool] | None = None
) -> Callable[[Callable], Callable]:
    """Have the decorated `function(event, *, by)` called after each of `events` was committed.

    Renaming or moving it leaves its undone deliveries behind, which then die under the old name. Raises ValueError for
    a queue that does not exist or a second handler of that name.
    """

    def register(function: Callable) -> Callable:
        name = f"{function.__module__}.{function.__qualname__}"
        if queue not in QUEUES:
            raise ValueError(f"{name}: there is no queue {queue!r}; there are {', '.join(QUEUES)}.")
        _handlers.add(name, Handler(name, function, events, queue, outward, when))
        return function

    return register


def all_handlers() -> list[Handler]:
    return list(_handlers)


def handler_named(name: str) -> Handler:
    """The handler of that dotted path. Raises UnknownHandler."""
    try:
        return _handlers[name]
    except KeyError:
        raise UnknownHandler(f"The code has no handler called {name}.") from None


def has_handler(event: str) -> bool:
    """Whether any handler wants the event called that, which is being recorded in the workspace in scope."""
    return any(handler.wants(event) for handler in _handlers)


@contextmanager
def on_hold() -> Iterator[None]:
    """Keep what is recorded in the block from the handlers that choose by `when`: somebody is asked about it later."""
    token = _held.set(True)
    try:
        yield
    finally:
        _held.reset(token)
