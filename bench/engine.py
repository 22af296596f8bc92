"""Cost of a handler, state and transaction per event: deliveries against bare rows."""

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bench.measure import Ratio, percentile
from crm.events.engine import Engine, drain
from crm.events.handlers import QUEUES, handles
from crm.events.models import Delivery, Event, State
from crm.events.relay import relay
from crm.kit.scope import in_workspace
from crm.kit.sql import as_stored, insert_rows
from crm.users.models import Workspace
from tests.services import redis, redis_program

EVENTS = 2000
ROUNDS = 5
NAME = "contact.updated"
WORKERS = 2


@handles(NAME)
def nothing(event, *, by):
    """Do nothing: the delivery itself is measured."""


def ratios(size: int) -> Iterator[Ratio]:
    """Yield the ratio of a drain by the engine to one that takes rows by SKIP LOCKED and commits each."""
    name = "relay, lease, call, finish / SKIP LOCKED row by row, no disk"
    yield Ratio("E1", name, 4.0, lambda: _engine() / _bare(1, "off"), rounds=ROUNDS)


def figures() -> Iterator[str]:
    """Yield deliveries per second on each engine, and each one's ratio to the bare drain on PostgreSQL."""
    yield f"{'deliveries per second (median, range)':46} {'ratio to a bare drain':>36}"
    bare = [EVENTS / _bare() for _ in range(ROUNDS)]
    yield _line("bare SKIP LOCKED, row by row", bare, bare)
    yield _line("the same, not waiting for the disk", [EVENTS / _bare(1, "off") for _ in range(ROUNDS)], bare)
    yield _line("the same, a hundred rows at a time", [EVENTS / _bare(100) for _ in range(ROUNDS)], bare)
    yield _line("embedded, PostgreSQL", [EVENTS / _engine() for _ in range(ROUNDS)], bare)
    yield _line("embedded, SQLite", _on_sqlite(), bare)
    if redis_program():
        with _workers() as task:
            yield _line(f"Celery, {WORKERS} workers, PostgreSQL", [EVENTS / _celery(task) for _ in range(ROUNDS)], bare)


def _line(name: str, rates: list[float], bare: list[float]) -> str:
    spread = f"{percentile(rates, 0.5):8,.0f} ({min(rates):,.0f}–{max(rates):,.0f})"
    return f"{name:46} {spread:24} {percentile(bare, 0.5) / percentile(rates, 0.5):8.2f}"


def _happen() -> None:
    """Create EVENTS events of as many records, without other data."""
    workspace, _ = Workspace.objects.get_or_create(slug="engine", defaults={"name": "Engine"})
    now = timezone.now()
    shared = {"name": NAME, "entity": "contact", "channel": "web", "change": uuid.uuid4(), "waiting": True}
    with in_workspace(workspace), transaction.atomic():
        Delivery.objects.all().delete()
        Event.objects.all().delete()
        times = (as_stored(now), as_stored(now))
        insert_rows(Event, ("entity_id", "at", "recorded_at"), ((n, *times) for n in range(EVENTS)), shared)


def _engine() -> float:
    _happen()
    started = time.perf_counter()
    drain()
    return _finished(started)


def _finished(started: float) -> float:
    seconds = time.perf_counter() - started
    left = Delivery.objects.unscoped().exclude(state=State.DONE).count()
    assert left == 0, f"{left} are not done"  # noqa: S101
    return seconds


TAKE = "SELECT id FROM events_delivery WHERE due_at <= now() ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED"
DONE = "UPDATE events_delivery SET state = 'done', due_at = NULL, done_at = now() WHERE id = ANY(%s)"


def _bare(rows: int = 1, synchronous_commit: str = "on") -> float:
    _happen()
    while relay():
        pass
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(f"SET synchronous_commit = {synchronous_commit}")
        while True:
            with transaction.atomic():
                cursor.execute(TAKE, [rows])
                taken = [pk for (pk,) in cursor.fetchall()]
                cursor.execute(DONE, [taken])
            if not taken:
                cursor.execute("RESET synchronous_commit")
                return _finished(started)


MEASURE = "import django; django.setup(); from bench import engine; engine.measure()"


def measure() -> None:
    _engine()
    for _ in range(ROUNDS):
        print(EVENTS / _engine())


def _on_sqlite() -> list[float]:
    with tempfile.TemporaryDirectory() as directory:
        environ = os.environ | {"DATABASE_URL": f"sqlite:///{directory}/bench.sqlite3", "DATA_DIR": directory}
        for command in (("-m", "django", "migrate", "--verbosity", "0"), ("-c", MEASURE)):
            done = subprocess.run([sys.executable, *command], env=environ, check=True, capture_output=True, text=True)
    return [float(line) for line in done.stdout.splitlines()]


@contextmanager
def _workers() -> Iterator[object]:
    """Run Celery workers on a Redis of our own; yield the task."""
    with redis() as url:
        settings.CELERY_BROKER_URL = url
        from crm.celery import app
        from crm.events.tasks import deliver

        app.set_default()
        options = ["-I", "bench.engine", "-Q", ",".join(QUEUES), "-c", str(WORKERS), "--loglevel", "error"]
        workers = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "crm", "worker", *options],
            env=os.environ | {"REDIS_URL": url, "REMAP_SIGTERM": "SIGQUIT"},
            stdout=subprocess.DEVNULL,
        )
        try:
            while not app.control.ping(timeout=1):
                time.sleep(0.2)
            yield deliver
        finally:
            workers.terminate()
            workers.wait(30)


def _celery(task) -> float:
    _happen()
    started = time.perf_counter()
    stop = Engine(task=task).start()
    undone = Delivery.objects.unscoped().undone()
    while Event.objects.unscoped().filter(waiting=True).exists() or undone.exists():
        time.sleep(0.02)
    seconds = _finished(started)
    stop()
    return seconds
