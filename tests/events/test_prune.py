from datetime import timedelta

import pytest
from django.utils import timezone

from crm.events.engine import drain
from crm.events.models import Delivery, Event, Slot, State
from crm.events.prune import KEPT, prune

pytestmark = pytest.mark.django_db


def test_what_was_told_long_ago_is_forgotten_and_nothing_else(handle, happen, monkeypatch):
    monkeypatch.setattr("crm.events.prune.BATCH", 2)
    now = timezone.now()
    old = now - KEPT - timedelta(hours=1)
    handle(lambda event, *, by: None)
    told = happen(*range(5))
    nobody_s = happen(1, name="record.forgotten")
    fresh, dead, recent = happen(1), happen(2), happen(3)
    drain()
    waiting = happen(4)
    deliveries = Delivery.objects.unscoped()
    deliveries.exclude(event_id__in=recent).update(done_at=old)
    deliveries.filter(event_id__in=dead).update(state=State.DEAD, done_at=None, due_at=None)
    Event.objects.unscoped().exclude(pk__in=fresh).update(recorded_at=old)
    for at in (old, now):
        Slot.objects.create(job="job", starts_at=at)

    prune(now)

    assert set(Event.objects.unscoped().values_list("pk", flat=True)) == {*fresh, *dead, *recent, *waiting}
    assert not Event.objects.unscoped().filter(pk__in=[*told, *nobody_s]).exists()
    assert set(deliveries.values_list("event_id", flat=True)) == {*dead, *recent}
    assert [slot.starts_at for slot in Slot.objects.all()] == [now]
