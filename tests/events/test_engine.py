"""The engine as threads: woken by commits, in parallel, restarted after a death, stopped cleanly."""

import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from crm.events import engine, wakeup
from crm.events.deliveries import claim, run
from crm.events.engine import Engine, drain
from crm.events.models import Delivery, Event, Heartbeat, State
from crm.events.relay import relay
from crm.events.tasks import deliver
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running(**options):
    stop = Engine(**options).start()
    try:
        yield stop
    finally:
        stop()


def eventually(condition, seconds: float = 15.0) -> bool:
    """Return whether the condition becomes true in time."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


def test_a_running_engine_does_what_is_committed(handle, happen):
    seen = []
    handle(lambda event, *, by: seen.append(event.entity_id))
    with running():
        happen(1, 2, 3)
        assert eventually(lambda: len(seen) == 3)
    assert sorted(seen) == [1, 2, 3]


def test_a_commit_wakes_the_engine_and_a_rollback_does_not(monkeypatch, handle):
    rings = []
    monkeypatch.setattr(wakeup, "_ring", lambda: rings.append(1))
    with transaction.atomic():
        wakeup.wake_on_commit()
        wakeup.wake_on_commit()
        assert rings == []
    assert rings == [1]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        wakeup.wake_on_commit()
        raise ZeroDivisionError
    assert rings == [1]


def test_the_bell_is_heard(monkeypatch):
    heard = threading.Event()

    def listen():
        wakeup.wait(0.01)  # PostgreSQL: start listening before the bell rings
        ready.set()
        wakeup.wait(60)
        heard.set()
        connection.close()

    ready = threading.Event()
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert ready.wait(10)
    with transaction.atomic():
        wakeup.wake_on_commit()
    assert heard.wait(10)
    listener.join()


def test_two_drains_at_once_handle_each_event_once_and_leave_what_comes_meanwhile(handle, happen, cast):
    seen, late = [], []

    def handler(event, *, by):
        seen.append(event.pk)
        if not late:
            late.append(event.pk)
            late.extend(happen(99))

    handle(handler)
    events = happen(*range(40), *range(40))
    _, errors = at_once(cast.acme, [drain, drain])
    drain()
    assert not errors
    assert sorted(seen) == sorted([*events, late[1]])


@pytest.mark.postgres
def test_a_claimed_delivery_is_passed_over_by_another_claim(handle, happen, cast):
    handle(lambda event, *, by: None)
    happen(*range(10))
    relay()
    claims, errors = at_once(cast.acme, [lambda: [d.pk for d in claim("celery", 5)] for _ in range(4)])
    claimed = [pk for pks in claims for pk in pks]
    assert not errors
    assert len(claimed) == len(set(claimed))


@pytest.mark.postgres
def test_an_event_of_a_transaction_that_takes_longer_is_not_lost(handle, happen, cast):
    """Ids are assigned before commit: the later event is relayed and done before the earlier one."""
    seen, written, go_on = [], threading.Event(), threading.Event()
    handle(lambda event, *, by: seen.append(event.entity_id))

    def slow():
        with transaction.atomic():
            happen(1)
            written.set()
            go_on.wait(10)

    def quick():
        written.wait(10)
        happen(2)
        drain()
        go_on.set()

    _, errors = at_once(cast.acme, [slow, quick])
    drain()
    assert not errors
    assert seen == [2, 1]


@pytest.mark.postgres
def test_one_relay_at_a_time(handle, happen):
    handle(lambda event, *, by: None)
    happen(1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [7_468_272_002])
        relayed, errors = at_once(None, [relay])
    assert (relayed, errors) == ([0], [])
    assert relay() == 1


@pytest.mark.parametrize("death", [ValueError("once"), SystemExit(3)])
def test_a_part_that_dies_is_started_again_with_a_line_in_the_log(death, handle, happen, monkeypatch, caplog):
    seen, deaths = [], [death]

    def fragile():
        if deaths:
            raise deaths.pop()
        return relay()

    handle(lambda event, *, by: seen.append(event.pk))
    monkeypatch.setattr(engine, "relay", fragile)
    with running():
        happen(1)
        assert eventually(lambda: seen)
    assert "The relay died; it is started again." in caplog.text


def test_stopping_finishes_what_has_begun_and_gives_the_rest_back(handle, happen):
    begun, go_on, seen = threading.Event(), threading.Event(), []

    def handler(event, *, by):
        begun.set()
        go_on.wait(10)
        seen.append(event.pk)

    handle(handler, outward=True)
    happen(*range(5))
    with running() as stop:
        assert begun.wait(10)
        stopper = threading.Thread(target=stop)
        stopper.start()
        time.sleep(0.2)
        go_on.set()
        stopper.join()
    states = list(Delivery.objects.unscoped().values_list("state", "attempts"))
    assert sorted(states) == [(State.DONE, 1), *[(State.PENDING, 0)] * 4]
    assert len(seen) == 1


def test_a_batch_that_takes_long_is_given_back_before_the_lease_ends(handle, happen, monkeypatch):
    seen = []
    handle(lambda event, *, by: seen.append(event.pk))
    happen(1, 2)
    relay()
    monkeypatch.setattr(engine, "LEASE", timedelta(0))
    Engine()._run(claim("celery"))
    assert seen == []
    assert set(Delivery.objects.unscoped().values_list("state", "attempts")) == {(State.PENDING, 0)}


def test_each_part_shows_that_it_is_alive(handle):
    with running():
        assert eventually(lambda: Heartbeat.objects.count() == 2)
    beats = dict(Heartbeat.objects.values_list("part", "at"))
    assert beats.keys() == {"relay", "scheduler"}
    assert all(timezone.now() - at < timedelta(seconds=30) for at in beats.values())


def test_an_idle_engine_writes_nothing(handle, django_assert_num_queries):
    with django_assert_num_queries(2):
        drain()
    assert not Event.objects.unscoped().exists()


class Task:
    """The Celery task and broker, as seen by the sender."""

    def __init__(self, waiting: int = 0):
        self.sent, self.waiting, self.app = [], waiting, self

    def apply_async(self, args, queue):
        self.sent.append((queue, *args))

    @contextmanager
    def connection_for_write(self):
        yield self

    @property
    def default_channel(self):
        return self

    client = default_channel

    def llen(self, queue):
        return self.waiting


def test_the_sender_names_what_is_due_once_per_lease(handle, happen):
    handle(lambda event, *, by: None, queue="mail")
    happen(1, 2)
    relay()
    task = Task()
    sender = Engine(task=task)
    assert sender._fill("mail")
    assert not sender._fill("mail")
    assert task.sent == [("mail", pk) for pk in Delivery.objects.unscoped().values_list("pk", flat=True)]
    Delivery.objects.unscoped().update(due_at=timezone.now())
    assert sender._fill("mail")
    assert len(task.sent) == 4


def test_the_sender_leaves_a_full_queue_alone(handle, happen):
    handle(lambda event, *, by: None)
    happen(1, 2)
    relay()
    task = Task(waiting=engine.AHEAD - 1)
    assert Engine(task=task)._fill("celery")
    assert len(task.sent) == 1


def test_what_could_not_be_sent_is_still_due(handle, happen, monkeypatch):
    handle(lambda event, *, by: None)
    happen(1)
    relay()
    task = Task()
    monkeypatch.setattr(task, "apply_async", lambda args, queue: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Engine(task=task)._fill("celery")
    assert len(claim("celery")) == 1


def test_a_message_that_comes_twice_or_late_does_nothing(handle, happen):
    seen = []
    handle(lambda event, *, by: seen.append(event.pk))
    happen(1, 1)
    relay()
    first, second = Delivery.objects.unscoped().order_by("event_id").values_list("pk", flat=True)
    for pk in (second, first, first, 0, second):
        deliver(pk)
    assert seen == sorted(seen)
    assert len(seen) == 2


def test_a_sent_delivery_whose_worker_died_is_sent_again_and_run(handle, happen):
    seen = []
    handle(lambda event, *, by: seen.append(event.pk))
    happen(1)
    relay()
    (lost,) = claim("celery")
    Delivery.objects.unscoped().update(due_at=timezone.now())
    task = Task()
    Engine(task=task)._fill("celery")
    run(lost)
    assert seen == [], "the worker that was taken for dead called the handler"
    deliver(lost.pk)
    assert len(seen) == 1
