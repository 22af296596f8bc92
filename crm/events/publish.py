"""Events that are no change of a business record, e.g. something is due or must be sent."""

from django.db.models import F, QuerySet
from django.utils import timezone

from crm.events.models import Event
from crm.events.wakeup import wake_on_commit
from crm.kit.actor import Actor
from crm.kit.sql import insert_select


def publish(name: str, rows: QuerySet, *, by: Actor) -> None:
    """Write an outbox row without an audit entry for each of `rows`, which are not business records."""
    now = timezone.now()
    shared = {"workspace_id": by.workspace_id, "member_id": by.member_id, "channel": by.channel, "change": by.change}
    about = {"name": name, "entity": name.partition(".")[0], "entity_id": F("pk")}
    if insert_select(Event, rows, shared | about | {"at": now, "recorded_at": now, "waiting": True}):
        wake_on_commit()
