"""A test's own handler, and events for it."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from crm.events import handlers
from crm.events.models import Delivery, Event
from crm.kit.registry import Registry
from crm.kit.scope import in_workspace


@pytest.fixture
def handle(monkeypatch) -> Callable:
    """`handle(function, queue=…, outward=…)` registers the only handlers, of "record.changed", for the test."""
    monkeypatch.setattr(handlers, "_handlers", Registry("handler"))

    def register(function: Callable, **options) -> Callable:
        function.__qualname__ = getattr(function, "__name__", "handler")
        return handlers.handles("record.changed", **options)(function)

    return register


@pytest.fixture
def happen(cast) -> Callable:
    """`happen(record, …)` creates an unrelayed event per record and returns their ids."""

    def happened(*records: int, workspace=cast.acme, name: str = "record.changed") -> list[int]:
        moment = timezone.now() - timedelta(seconds=1)
        with in_workspace(workspace):
            return [
                Event.objects.create(
                    name=name,
                    entity="record",
                    entity_id=record,
                    channel="web",
                    change=uuid.uuid4(),
                    at=moment,
                    recorded_at=moment,
                    waiting=True,
                ).pk
                for record in records
            ]

    return happened


def delivery(event: int) -> Delivery:
    return Delivery.objects.unscoped().get(event_id=event)
