"""The engine: relay, executors and scheduler, each a thread that is restarted when it dies.

Embedded (with the web server, no broker), one executor per queue calls the handlers. In production the engine is
`manage.py engine`; a sender replaces the executors and names due deliveries to Celery workers through Redis. Redis is a
doorbell: a lost message is sent again when its lease expires.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event as Signal
from threading import Thread
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from crm.events import wakeup
from crm.events.deliveries import BATCH, LEASE, claim, due, release_leases, run
from crm.events.handlers import QUEUES
from crm.events.models import Delivery, Heartbeat, State
from crm.events.relay import relay
from crm.events.scheduler import Scheduler

POLL = 1.0  # seconds between polls when no bell rings
BUSY = 0.05  # seconds until the sender polls again while there is a backlog
RESTART = 5.0  # seconds until a dead part is restarted
BEAT = 3.0  # seconds between two heartbeats
GRACE = 12.0  # seconds that handlers may take to finish once the engine is asked to stop
AHEAD = 2 * BATCH  # messages held in Redis per queue: enough for the workers, few enough to resend

log = logging.getLogger("crm.events")


class Engine:
    """Relay, executors (or a sender to the Celery task `task`) and scheduler."""

    def __init__(self, task: Any = None):
        self.stopping = Signal()
        self._task = task
        self._scheduler = Scheduler()
        self._wakes = {queue: Signal() for queue in ("sender", *QUEUES)}
        self._threads = [
            Thread(target=self._supervise, args=part, name=" ".join(map(str, part[::2])), daemon=True)
            for part in self._parts()
        ]

    def _parts(self) -> list[tuple]:
        lanes: list[tuple] = (
            [("sender", self._send)] if self._task else [("executor", self._execute, q) for q in QUEUES]
        )
        return [("relay", self._relay), ("scheduler", self._schedule), *lanes]

    def start(self) -> Callable[[], None]:
        for thread in self._threads:
            thread.start()
        return self.stop

    def stop(self) -> None:
        """Take no more work, wait up to GRACE for running work, release the rest."""
        self.stopping.set()
        self._wake()
        ends = time.monotonic() + GRACE
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        self._scheduler.join(max(0.0, ends - time.monotonic()))

    def _supervise(self, name: str, loop: Callable[..., None], *args: str) -> None:
        while not self.stopping.is_set():
            try:
                loop(*args)
            except BaseException:  # SystemExit too: a thread that dies silently leaves all its work waiting
                log.exception("The %s died; it is started again.", " ".join((name, *args)))
                self.stopping.wait(RESTART)
            finally:
                connection.close()

    def _relay(self) -> None:
        beat = _Heartbeat("relay")
        while not self.stopping.is_set():
            beat()
            if relay():
                self._wake()
            else:
                wakeup.wait(POLL)

    def _execute(self, queue: str) -> None:
        while not self.stopping.is_set():
            batch = claim(queue)
            self._run(batch)
            if not batch:
                self._sleep(queue, POLL)

    def _run(self, batch: list[Delivery]) -> None:
        half = timezone.now() + LEASE / 2
        for index, delivery in enumerate(batch):
            if self.stopping.is_set() or timezone.now() > half:
                return release_leases(batch[index:])
            run(delivery)
        return None

    def _send(self) -> None:
        while not self.stopping.is_set():
            busy = [self._fill(queue) for queue in QUEUES]
            self._sleep("sender", BUSY if any(busy) else POLL)

    def _fill(self, queue: str) -> bool:
        """Send due deliveries while Redis has room. Return whether any were due."""
        if not due(queue).exists():
            return False
        room = AHEAD - _messages(self._task.app, queue)
        # Sent before the commit: if Redis is down, nothing is marked. A faster worker waits for the row.
        with transaction.atomic(durable=True):
            rows = due(queue).select_for_update(skip_locked=True, of=("self",))
            ids = list(rows.values_list("pk", flat=True)[: max(room, 0)])
            for pk in ids:
                self._task.apply_async((pk,), queue=queue)
            sent = Delivery.objects.unscoped().filter(pk__in=ids)
            sent.update(state=State.PENDING, due_at=timezone.now() + LEASE)
        return True

    def _schedule(self) -> None:
        beat = _Heartbeat("scheduler")
        while not self.stopping.wait(POLL):
            beat()
            self._scheduler.tick()

    def _wake(self) -> None:
        for wake in self._wakes.values():
            wake.set()

    def _sleep(self, part: str, seconds: float) -> None:
        self._wakes[part].wait(seconds)
        self._wakes[part].clear()


class _Heartbeat:
    """A callable that records, at most every BEAT seconds, that a part of the engine is alive."""

    def __init__(self, part: str):
        self._part, self._next = part, 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            Heartbeat.objects.update_or_create(part=self._part, defaults={"at": timezone.now()})
            self._next = time.monotonic() + BEAT


def _messages(app: Any, queue: str) -> int:
    with app.connection_for_write() as broker:
        return broker.default_channel.client.llen(queue)


def drain(seconds: float = 3600.0) -> int:
    """Relay and run in this thread until nothing is due or time is up. Return the number of deliveries tried."""
    ends, tried = timezone.now() + timedelta(seconds=seconds), 0
    while timezone.now() < ends:
        relayed = relay()
        batch = [delivery for queue in QUEUES for delivery in claim(queue)]
        for delivery in batch:
            run(delivery)
        tried += len(batch)
        if not (relayed or batch):
            break
    return tried
