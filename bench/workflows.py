"""Cost of workflows: events that many of them evaluate, and growth with their number."""

import uuid
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from bench.data import Place, place
from bench.measure import Ratio, seconds
from contacts.models import Contact
from crm.events.engine import drain
from crm.events.models import Delivery, Event, State
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.kit.sql import as_stored, insert_rows
from crm.workflows.models import Run, Workflow
from crm.workflows.start_runs import BUDGET
from crm.workflows.verbs.save_workflow import save_workflow
from crm.workflows.verbs.switch_workflow import switch_workflow

MANY = 50
EVENTS = 10_000  # for the full-size measurement; a tenth of the contacts for smaller ones
NAME = "contact.won"
TRIGGER = {"kind": "transition", "entity": "contact", "to": "lifecycle_stage=customer"}
STEP = {"kind": "notify", "who": "workflow_owner"}


def ratios(size: int) -> Iterator[Ratio]:
    """Yield the ratio of events that MANY workflows evaluate and one runs on to events with one workflow."""
    at, events = place("workflows", max(size // 10, 200)), min(EVENTS, max(size // 10, 200))
    name = f"{events:,} events, {MANY} workflows on each / one, 1 run per event"
    yield Ratio("W1", name, 3.0, lambda: _rate(at, 1, events) / _rate(at, MANY, events), rounds=1)


def figures() -> Iterator[str]:
    """Yield events and runs per second, by the number of workflows that evaluate and that run."""
    at, events = place("workflows", EVENTS // 10), EVENTS // 10
    yield f"{'workflows on the event':26}{'that run':>10}{'events/s':>12}{'runs/s':>10}"
    for number, running in ((1, 1), (10, 1), (MANY, 1), (MANY, 10), (MANY, BUDGET)):
        some = events if running == 1 else events // running
        rate = _rate(at, number, some, running)
        yield f"{number:26}{running:>10}{rate:>12,.0f}{rate * running:>10,.0f}"


def _rate(at: Place, number: int, events: int, running: int = 1) -> float:
    """Return events per second, from outbox to end of runs, with `number` workflows of which `running` run."""
    with in_workspace(at.workspace):
        _workflows(at, number, running)
        _happen(at, events)
        elapsed = seconds(drain)
        done = Run.objects.filter(status=Run.Status.DONE).count()
        assert done == events * running, f"{done} runs of {events * running}"  # noqa: S101
        assert not Delivery.objects.exclude(state=State.DONE).exists(), "some are not done"  # noqa: S101
    return events / elapsed


def _workflows(at: Place, number: int, running: int) -> None:
    Run.objects.all().delete()
    Workflow.objects.all().delete()
    for place_ in range(number):
        condition = "" if place_ < running else f"name = Nobody{place_}"
        facts = {"owner": at.manager.pk, "trigger": TRIGGER, "condition": condition, "steps": [STEP]}
        made = save_workflow(Workflow(), name=f"Workflow {place_}", by=system(at.workspace.pk), **facts)
        switch_workflow(made, True, by=system(at.workspace.pk))


def _happen(at: Place, events: int) -> None:
    """Write outbox rows for that many new customers."""
    now = timezone.now()
    ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True)[:events])
    shared = {"name": NAME, "entity": "contact", "channel": "web", "change": uuid.uuid4(), "waiting": True}
    values, times = ('{"lifecycle_stage": "qualified"}', '{"lifecycle_stage": "customer"}'), [as_stored(now)] * 2
    with transaction.atomic():
        Delivery.objects.all().delete()
        Event.objects.all().delete()
        names = ("entity_id", "person", "old_values", "new_values", "at", "recorded_at")
        insert_rows(Event, names, ((pk, pk, *values, *times) for pk in ids), shared)
