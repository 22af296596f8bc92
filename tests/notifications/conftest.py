import pytest

from crm.events.models import Event
from crm.notifications.models import Notification


@pytest.fixture
def told(cast):
    """`told("rep")`: what that member of the cast was told, as (kind, entity_id, count), the oldest first."""

    def told(who: str) -> list[tuple[str, int, int]]:
        rows = Notification.objects.filter(recipient=getattr(cast, who)).order_by("id")
        return list(rows.values_list("kind", "entity_id", "count"))

    return told


@pytest.fixture
def published():
    """`published("notification.made")`: the events of that name, the oldest first."""
    return lambda name: list(Event.objects.filter(name=name).order_by("id"))
