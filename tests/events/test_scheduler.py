"""Scheduled jobs run once per slot, with any number of schedulers."""

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine

from crm.events import scheduler
from crm.events.models import Slot
from crm.events.scheduler import Job, Scheduler, scheduled
from crm.kit.registry import Registry
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
def job(monkeypatch):
    """`job(every=…)` registers the only job and returns the list of its run slots."""
    monkeypatch.setattr(scheduler, "_jobs", Registry("job"))

    def make(function=None, **when):
        slots = []
        scheduled(**when)(_recorder(slots, function))
        return slots

    return make


def _recorder(slots, function):
    def run(slot):
        slots.append(slot)
        if function:
            function()

    return run


def look(*schedulers):
    for one in schedulers:
        one.tick()
        one.join(10)


def test_three_schedulers_run_a_job_once_per_slot(job):
    slots = job(every=timedelta(seconds=5))
    three = Scheduler(), Scheduler(), Scheduler()
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(65):
            look(*three)
            clock.shift(1)
    assert slots == [START + timedelta(seconds=5 * n) for n in range(13)]


def test_after_a_pause_a_job_runs_once(job):
    slots, one = job(every=timedelta(seconds=5)), Scheduler()
    with time_machine.travel(START, tick=False) as clock:
        look(one)
        clock.shift(600)
        look(one)
    assert slots == [START, START + timedelta(seconds=600)]


@pytest.mark.postgres
def test_schedulers_that_look_at_the_same_moment_agree(job, cast):
    slots = job(every=timedelta(days=1))
    _, errors = at_once(cast.acme, [lambda: look(Scheduler()) for _ in range(4)])
    assert not errors
    assert len(slots) == 1


@pytest.mark.parametrize(
    "now, slot",
    [
        (datetime(2026, 11, 20, 2, 59, tzinfo=UTC), datetime(2026, 11, 19, 3, tzinfo=UTC)),
        (datetime(2026, 11, 20, 3, 0, tzinfo=UTC), datetime(2026, 11, 20, 3, tzinfo=UTC)),
    ],
)
def test_a_daily_job_has_its_time(now, slot):
    assert Job("job", print, timedelta(days=1), time(3)).slot(now) == slot


def test_a_job_that_fails_is_written_down_and_runs_again_in_the_next_slot(job):
    def fail():
        raise ValueError("ana@example.com is missing")

    slots, one = job(fail, every=timedelta(seconds=5)), Scheduler()
    with time_machine.travel(START, tick=False) as clock:
        look(one)
        clock.shift(5)
        look(one)
    assert len(slots) == 2
    assert (
        list(Slot.objects.values_list("finished_at", "last_error")) == [(None, "ValueError: [e-mail] is missing")] * 2
    )


def test_a_job_does_not_run_beside_itself(job):
    go_on = threading.Event()
    slots, one = job(lambda: go_on.wait(10), every=timedelta(seconds=5)), Scheduler()
    with time_machine.travel(START, tick=False) as clock:
        one.tick()
        clock.shift(5)
        one.tick()
        go_on.set()
        one.join(10)
        look(one)
    assert slots == [START, START + timedelta(seconds=5)]


def test_what_cannot_be_scheduled_is_refused(job):
    job(every=timedelta(hours=1))
    with pytest.raises(ValueError, match=r"registered twice|more often"):
        job(every=timedelta(hours=1))
    with pytest.raises(ValueError, match=r"registered twice|more often"):
        scheduled(every=timedelta(milliseconds=1))(print)
