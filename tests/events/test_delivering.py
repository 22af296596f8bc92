"""From an event to its effect, step by step, in one thread."""

import time
from datetime import timedelta
from itertools import pairwise
from threading import Event as Signal

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from contacts.models import Contact
from crm.events import deliveries, handlers
from crm.events.deliveries import ATTEMPTS, LEASE, claim, claim_one, release_leases, run
from crm.events.engine import drain
from crm.events.handlers import QUEUES, handles
from crm.events.models import Delivery, Event, State
from crm.events.relay import relay
from crm.kit.actor import Channel
from crm.kit.scope import workspace
from tests.events.conftest import delivery
from tests.factories import make_contact
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen(handle):
    """Return the records seen by a handler, in order."""
    records = []
    handle(lambda event, *, by: records.append(event.entity_id))
    return records


def test_an_event_is_told_to_its_handler_once(seen, happen):
    (event,) = happen(7)
    assert drain() == 1
    assert drain() == 0
    assert seen == [7]
    done = delivery(event)
    assert (done.state, done.attempts, done.due_at, done.last_error) == (State.DONE, 1, None, "")
    assert done.done_at


def test_a_handler_acts_as_the_system_in_the_workspace_of_the_event(handle, happen, cast):
    told = []
    handle(lambda event, *, by: told.append((workspace(), by)))
    happen(1, workspace=cast.globex)
    drain()
    ((where, by),) = told
    assert where == cast.globex
    assert (by.workspace_id, by.member_id, by.channel) == (cast.globex.pk, None, Channel.SYSTEM)


def test_every_handler_that_wants_an_event_gets_a_delivery_and_no_other(handle, happen):
    first = handle(lambda event, *, by: None)

    def second(event, *, by): ...

    handle(second, queue="mail")
    (event,) = happen(1)
    happen(1, name="record.forgotten")
    assert relay() == 2
    told = set(Delivery.objects.unscoped().values_list("event_id", "handler"))
    assert told == {(event, f"{f.__module__}.{f.__qualname__}") for f in (first, second)}
    assert not Event.objects.unscoped().filter(waiting=True).exists()


def test_what_no_handler_wants_is_never_marked_as_waiting(handle, acme, cast):
    make_contact()
    assert not Event.objects.filter(waiting=True).exists()
    handles("contact.created")(lambda event, *, by: None)
    made = make_contact()
    assert [event.entity_id for event in Event.objects.filter(waiting=True)] == [made.pk]


def test_a_rolled_back_change_leaves_no_event_and_no_effect(handle, acme):
    called = []
    handles("contact.created")(lambda event, *, by: called.append(event))
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make_contact()
        raise ZeroDivisionError
    drain()
    assert not called
    assert not Event.objects.exists()


def test_an_event_that_commits_after_a_later_one_is_relayed_all_the_same(seen, happen):
    early, _ = happen(1, 2)
    Event.objects.unscoped().filter(pk=early).update(waiting=False)  # hidden for now
    drain()
    Event.objects.unscoped().filter(pk=early).update(waiting=True)
    drain()
    assert seen == [2, 1]


def test_a_failing_handler_is_tried_again_after_1_2_4_seconds_and_given_up_after_ten(handle, happen):
    calls, others = [], []

    def handler(event, *, by):
        if event.entity_id == 2:
            return others.append(event.pk)
        calls.append(timezone.now())
        raise ValueError("no luck with ana@example.com\nKey (email)=(ana@example.com)")

    handle(handler)
    with time_machine.travel("2026-11-20 10:00:00+00:00", tick=False) as clock:
        poison, later_of_it, _ = happen(1, 1, 2)
        drain()
        while due := delivery(poison).due_at:
            clock.move_to(due - timedelta(seconds=0.1))
            drain()
            clock.move_to(due)
            drain()
        pauses = [round((b - a).total_seconds()) for a, b in pairwise(calls)]
        assert pauses == [2**n for n in range(ATTEMPTS - 1)]
        dead = delivery(poison)
        assert (dead.state, dead.attempts, dead.due_at) == (State.DEAD, ATTEMPTS, None)
        assert dead.last_error == "ValueError: no luck with [e-mail]"
        assert len(others) == 1
        assert delivery(later_of_it).attempts == 0, "it waits for the one before it"


def test_a_dead_delivery_can_be_run_again_and_lets_its_record_go_on(handle, happen):
    seen, broken = [], [True]

    def handler(event, *, by):
        if broken:
            raise ValueError
        seen.append(event.pk)

    handle(handler)
    events = happen(1, 1)
    drain()
    Delivery.objects.unscoped().filter(event_id=events[0]).update(state=State.DEAD, due_at=None)
    broken.clear()
    drain()
    assert seen == []
    assert Delivery.objects.unscoped().retry() == 1
    drain()
    assert seen == events


def test_the_longest_pause_is_an_hour(handle, happen, monkeypatch):
    monkeypatch.setattr(deliveries, "ATTEMPTS", 40)
    handle(lambda event, *, by: 1 / 0)
    (event,) = happen(1)
    relay()
    Delivery.objects.unscoped().update(attempts=30)
    drain()
    assert timedelta(minutes=59) < delivery(event).due_at - timezone.now() <= timedelta(hours=1)


def test_events_of_one_record_are_handled_in_order_through_failures(handle, happen):
    seen, tries = {}, {}

    def handler(event, *, by):
        tries[event.pk] = tries.get(event.pk, 0) + 1
        if tries[event.pk] <= event.pk % 3:
            raise ValueError("not yet")
        seen.setdefault(event.entity_id, []).append(event.pk)

    handle(handler)
    with time_machine.travel("2026-11-20 10:00:00+00:00", tick=False) as clock:
        events = happen(*(number % 10 for number in range(200)))
        for _ in range(200):
            drain()
            clock.shift(1)
    assert sorted(pk for pks in seen.values() for pk in pks) == events
    assert all(pks == sorted(pks) for pks in seen.values())


def test_a_failure_takes_back_what_the_handler_did(handle, happen, acme, cast):
    contact = make_contact()

    def handler(event, *, by):
        Contact.objects.update(title="Changed")
        if Delivery.objects.get().attempts == 1:
            raise ValueError("after the change")

    handle(handler)
    happen(1)
    drain()
    contact.refresh_from_db()
    assert contact.title == ""
    Delivery.objects.update(due_at=timezone.now())
    drain()
    contact.refresh_from_db()
    assert contact.title == "Changed"


@pytest.mark.django_db(transaction=True)
def test_an_outward_handler_runs_outside_a_transaction(handle, happen):
    inside = []
    handle(lambda event, *, by: inside.append(transaction.get_connection().in_atomic_block), outward=True)
    (event,) = happen(1)
    drain()
    assert inside == [False]
    assert delivery(event).state == State.DONE


@pytest.mark.django_db(transaction=True)
def test_nothing_is_delivered_inside_an_open_transaction(seen, happen):
    happen(1)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        drain()
    assert seen == []


def test_a_lease_that_ended_is_taken_over_and_its_former_holder_changes_nothing(handle, happen):
    seen = []
    handle(lambda event, *, by: seen.append(by))
    (event,) = happen(1)
    relay()
    (first,) = claim("celery")
    assert claim("celery") == []
    assert claim_one(first.pk) is None
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)):
        (second,) = claim("celery")
        run(first)
        assert seen == [], "the former holder called the handler"
        assert delivery(event).state == State.LEASED
        run(second)
    assert len(seen) == 1
    assert (delivery(event).state, delivery(event).attempts) == (State.DONE, 2)


def test_the_failure_of_a_former_holder_does_not_count(handle, happen):
    handle(lambda event, *, by: 1 / 0, outward=True)
    (event,) = happen(1)
    relay()
    (first,) = claim("celery")
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)):
        claim("celery")
        run(first)
        assert (delivery(event).state, delivery(event).last_error) == (State.LEASED, "")


def test_a_delivery_whose_workers_keep_dying_is_given_up(seen, happen):
    (event,) = happen(1)
    relay()
    for _ in range(ATTEMPTS):
        assert len(claim("celery")) == 1
        Delivery.objects.unscoped().update(due_at=timezone.now())
    assert claim("celery") == []
    assert delivery(event).state == State.DEAD
    assert delivery(event).last_error == "The worker stopped before finishing."


def test_what_is_released_was_not_tried(seen, happen):
    (event,) = happen(1)
    relay()
    release_leases(claim("celery"))
    assert (delivery(event).state, delivery(event).attempts) == (State.PENDING, 0)
    drain()
    assert seen == [1]


def test_a_handler_waits_in_its_own_queue(handle, happen):
    handle(lambda event, *, by: None, queue="mail")
    happen(1)
    relay()
    assert [queue for queue in QUEUES if claim(queue)] == ["mail"]


def test_a_delivery_of_a_handler_that_is_gone_says_so(handle, happen):
    handle(lambda event, *, by: None, queue="mail")
    (event,) = happen(1)
    relay()
    handlers._handlers.clear()
    drain()
    assert delivery(event).state == State.PENDING
    assert delivery(event).last_error.startswith("UnknownHandler: The code has no handler called tests.events")


def test_a_handler_is_registered_once_and_for_a_queue_that_exists(handle):
    def handler(event, *, by): ...

    handle(handler)
    with pytest.raises(ValueError, match="registered twice"):
        handle(handler)
    with pytest.raises(ValueError, match="there is no queue 'fast'"):
        handles("record.changed", queue="fast")(handler)


def test_a_thousand_events_are_relayed_at_a_time(seen, happen, monkeypatch):
    monkeypatch.setattr("crm.events.relay.BATCH", 3)
    happen(1, 2, 3, 4)
    assert [relay(), relay(), relay()] == [3, 1, 0]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_worker_with_its_message_before_the_senders_commit_waits_for_it(seen, happen, cast):
    (event,) = happen(1)
    relay()
    locked, asked = Signal(), Signal()

    def send():
        with transaction.atomic():
            held = Delivery.objects.unscoped().select_for_update().get(event=event)
            locked.set()
            asked.wait(5)
            time.sleep(0.1)  # the worker's statement is running
            Delivery.objects.unscoped().filter(pk=held.pk).update(due_at=timezone.now() + LEASE)

    def work():
        locked.wait(5)
        asked.set()
        return claim_one(delivery(event).pk)

    results, errors = at_once(cast.acme, [send, work])
    assert errors == []
    assert [claimed.event_id for claimed in results if claimed] == [event]
