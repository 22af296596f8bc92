"""The relay: creates the deliveries of waiting events, a thousand at a time, in two statements.

Why: docs/decisions/0010-relay-marks-rows.md
"""

from django.db import connection

from crm.events.deliveries import repeatable
from crm.events.handlers import all_handlers
from crm.events.models import Delivery, Event, State

BATCH = 1000
ONE_AT_A_TIME = 7_468_272_002  # arbitrary number of our advisory lock

INSERT = """
    WITH wanted (name, handler) AS (VALUES {wanted})
    INSERT INTO {delivery} (workspace_id, event_id, handler, entity, entity_id, state, attempts, due_at, last_error)
    SELECT e.workspace_id, e.id, wanted.handler, e.entity, e.entity_id, %s, 0, e.recorded_at, ''
    FROM {event} e JOIN wanted ON wanted.name = e.name
    WHERE e.id IN ({ids})
"""


def relay() -> int:
    """Create the deliveries of up to BATCH waiting events, oldest first. Return the number of events."""
    if not _waiting().exists():  # looking costs no transaction; on SQLite transactions queue
        return 0
    with repeatable():
        if not _is_the_only_one():
            return 0
        ids = list(_waiting().order_by("pk").values_list("pk", flat=True)[:BATCH])
        _insert(ids)
        Event.objects.unscoped().filter(pk__any_of=ids).update(waiting=False)
    return len(ids)


def _waiting():
    return Event.objects.unscoped().filter(waiting=True)


def _is_the_only_one() -> bool:
    """Take the advisory lock: with two relays, the later of two events of a record could be delivered first."""
    if connection.vendor != "postgresql":
        return True  # the transaction alone is enough: SQLite has one writer
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        return cursor.fetchone()[0]


def _insert(ids: list[int]) -> None:
    wanted = [part for handler in all_handlers() for event in handler.names() for part in (event, handler.name)]
    if not ids or not wanted:
        return
    sql = INSERT.format(
        wanted=", ".join(["(%s, %s)"] * (len(wanted) // 2)),
        delivery=Delivery._meta.db_table,
        event=Event._meta.db_table,
        ids=", ".join(map(str, ids)),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*wanted, State.PENDING])
