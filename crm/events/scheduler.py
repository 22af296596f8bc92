"""Scheduled jobs: declared in code, run once per slot whatever the number of schedulers.

    # crm/customers/jobs.py, imported by the app's ready()
    @scheduled(every=timedelta(minutes=5))
    def mark_dormant(slot):
        ...

A job gets the start of its slot (aware, UTC), opens workspaces itself, and does all work due by then: missed slots are
not repeated one by one, and a job that died with its process runs again in the next slot.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from threading import Thread

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.events.deliveries import first_line
from crm.events.models import Slot
from crm.kit.registry import Registry

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = logging.getLogger("crm.events")


@dataclass(frozen=True)
class Job:
    """A function called at a fixed interval (from midnight UTC for whole parts of a day) or daily at a time."""

    name: str
    function: Callable[[datetime], object]
    every: timedelta
    at: time

    def slot(self, now: datetime) -> datetime:
        first = EPOCH + timedelta(hours=self.at.hour, minutes=self.at.minute, seconds=self.at.second)
        return first + (now - first) // self.every * self.every


_jobs: Registry[Job] = Registry("job")


def scheduled(*, every: timedelta = timedelta(days=1), at: time = time(0)) -> Callable[[Callable], Callable]:
    """Register the decorated `function(slot)` to run `every` so often from `at` (UTC): at=time(3) is daily at 3.

    Raises ValueError for an interval under a second or a second job of that name.
    """

    def register(function: Callable) -> Callable:
        name = f"{function.__module__}.{function.__qualname__}"
        if every < timedelta(seconds=1):
            raise ValueError(f"{name} is scheduled more often than the scheduler looks.")
        _jobs.add(name, Job(name, function, every, at))
        return function

    return register


class Scheduler:
    """Runs each due job in a thread of its own, never two runs of a job at once."""

    def __init__(self) -> None:
        self._taken: dict[str, datetime] = {}
        self._threads: dict[str, Thread] = {}

    def tick(self) -> None:
        """Start the jobs that have a new slot. Call it every second; slots already taken cost nothing."""
        now = timezone.now()
        for job in _jobs.values():
            slot = job.slot(now)
            if self._taken.get(job.name) == slot or self._is_running(job):
                continue
            self._taken[job.name] = slot
            if _take(job, slot):
                self._threads[job.name] = Thread(target=_run, args=(job, slot), name=job.name, daemon=True)
                self._threads[job.name].start()

    def join(self, seconds: float) -> None:
        """Wait up to `seconds` for each running job."""
        for thread in self._threads.values():
            thread.join(seconds)

    def _is_running(self, job: Job) -> bool:
        return job.name in self._threads and self._threads[job.name].is_alive()


def _take(job: Job, slot: datetime) -> bool:
    try:
        with transaction.atomic():
            Slot.objects.create(job=job.name, starts_at=slot)
    except IntegrityError:  # another scheduler was first
        return False
    return True


def _run(job: Job, slot: datetime) -> None:
    row = Slot.objects.filter(job=job.name, starts_at=slot)
    try:
        job.function(slot)
        row.update(finished_at=timezone.now())
    except Exception as error:
        log.warning("The scheduled job %s failed.", job.name, exc_info=error)
        row.update(last_error=first_line(error))
    finally:
        connection.close()
