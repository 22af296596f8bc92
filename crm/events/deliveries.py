"""The life of a delivery: claimed under a lease, run, then done, retried or dead.

Why: docs/decisions/0009-database-is-the-queue.md
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from crm.events.handlers import QUEUES, Handler, all_handlers, handler_named
from crm.events.models import Delivery, State
from crm.kit.actor import system
from crm.kit.language import speaking_in
from crm.kit.logs import impersonal
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext as _

ATTEMPTS = 10
LONGEST_PAUSE = 3600  # seconds
LEASE = timedelta(seconds=settings.DELIVERY_LEASE)
BATCH = 100

log = logging.getLogger("crm.events")


def due(queue: str) -> QuerySet[Delivery]:
    deliveries = Delivery.objects.unscoped().due(timezone.now())
    if queue != QUEUES[0]:
        return deliveries.filter(handler__in=[handler.name for handler in all_handlers() if handler.queue == queue])
    # The first queue also takes deliveries of removed handlers, so that they fail visibly.
    return deliveries.exclude(handler__in=[handler.name for handler in all_handlers() if handler.queue != queue])


# Why: docs/decisions/0011-engine-skips-the-disk-wait.md
@contextmanager
def repeatable() -> Iterator[None]:
    """Open a transaction that the engine can safely repeat if a crash loses it, even after its commit.

    So PostgreSQL need not wait for the disk. The next commit that does wait also flushes all earlier ones.
    """
    with transaction.atomic(durable=True):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
        yield


def claim(queue: str, limit: int = BATCH) -> list[Delivery]:
    """Lease up to `limit` due deliveries of a queue, no two of the same handler and record."""
    if not due(queue).exists():  # looking costs no transaction; on SQLite transactions queue
        return []
    with repeatable():
        return _lease(due(queue), limit, skip_locked=True)


def claim_one(pk: int) -> Delivery | None:
    """Lease the delivery for a worker that received its message; None if it is done, dead or leased elsewhere.

    Waits for the row lock: a message can arrive before the sender commits, and would be lost for one lease.
    """
    free = Q(state=State.PENDING) | Q(state=State.LEASED, due_at__lte=timezone.now())
    with repeatable():
        claimed = _lease(Delivery.objects.unscoped().filter(free, pk=pk).first_of_record(), 1, skip_locked=False)
    return claimed[0] if claimed else None


def _lease(deliveries: QuerySet[Delivery], limit: int, *, skip_locked: bool) -> list[Delivery]:
    found = deliveries.select_related("event").select_for_update(skip_locked=skip_locked, of=("self",))[:limit]
    claimed = [delivery for delivery in found if delivery.attempts < ATTEMPTS]
    lost = [delivery for delivery in found if delivery.attempts >= ATTEMPTS]
    _rows(lost).update(state=State.DEAD, due_at=None, last_error=_("The worker stopped before finishing."))
    ends = timezone.now() + LEASE
    _rows(claimed).update(state=State.LEASED, due_at=ends, attempts=F("attempts") + 1)
    workspaces = apps.get_model("users.Workspace").objects.in_bulk({delivery.workspace_id for delivery in claimed})
    for delivery in claimed:
        delivery.scope = workspaces.get(delivery.workspace_id)
        delivery.due_at, delivery.attempts = ends, delivery.attempts + 1
    return claimed


def release_leases(deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        _held(delivery).update(state=State.PENDING, due_at=timezone.now(), attempts=F("attempts") - 1)


def run(delivery: Delivery) -> None:
    """Call the handler of a leased delivery, then mark the delivery done or due for a retry."""
    try:
        handler = handler_named(delivery.handler)
        with in_workspace(delivery.scope), speaking_in(delivery.scope):
            (_run_outward if handler.outward else _run_in_transaction)(handler, delivery)
    except Exception as error:
        _fail(delivery, error)


def _run_in_transaction(handler: Handler, delivery: Delivery) -> None:
    with repeatable():
        # Done first: this locks the row, so a worker whose lease expired never calls the handler.
        if _finish(delivery):
            handler.function(delivery.event, by=system(delivery.workspace_id))


def _run_outward(handler: Handler, delivery: Delivery) -> None:
    handler.function(delivery.event, by=system(delivery.workspace_id))
    _finish(delivery)


def _finish(delivery: Delivery) -> bool:
    now = timezone.now()
    finished = _held(delivery).update(state=State.DONE, due_at=None, done_at=now, last_error="")
    if not finished:
        log.warning("Delivery %s was taken over: its lease had ended.", delivery.pk)
    return bool(finished)


def _fail(delivery: Delivery, error: Exception) -> None:
    log.warning("Delivery %s to %s failed.", delivery.pk, delivery.handler, exc_info=error)
    last_error = first_line(error)
    if delivery.attempts >= ATTEMPTS:
        _held(delivery).update(state=State.DEAD, due_at=None, last_error=last_error)
    else:
        pause = timedelta(seconds=min(2 ** (delivery.attempts - 1), LONGEST_PAUSE))
        _held(delivery).update(state=State.PENDING, due_at=timezone.now() + pause, last_error=last_error)


def _held(delivery: Delivery) -> QuerySet[Delivery]:
    return _rows([delivery]).filter(state=State.LEASED, due_at=delivery.due_at)


def _rows(deliveries: list[Delivery]) -> QuerySet[Delivery]:
    return Delivery.objects.unscoped().filter(pk__in=[delivery.pk for delivery in deliveries])


def first_line(error: Exception) -> str:
    """Return the error's kind and first line for operators, without addresses (later lines can hold a row's values)."""
    line = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {impersonal(line)}"[:300]
