import pytest

from crm.events.models import Event
from crm.notifications.models import Notification


@pytest.fixture
def told(cast):
    """`told("rep")` returns a member's notifications as (kind, entity_id, count), oldest first."""

    def told(who: str) -> list[tuple[str, int, int]]:
        rows = Notification.objects.filter(recipient=getattr(cast, who)).order_by("id")
        return list(rows.values_list("kind", "entity_id", "count"))

    return told


@pytest.fixture
def published():
    """`published("notification.made")` returns the events of that name, oldest first."""
    return lambda name: list(Event.objects.filter(name=name).order_by("id"))
