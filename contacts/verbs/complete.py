"""Complete tasks and other planned activities."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit.record import update_and_record
from contacts.activities.conversations import check_occurred, check_outcome
from contacts.activities.inserting import insert_activities
from contacts.activities.last_activity import touch
from contacts.activities.participants import with_participants
from contacts.activities.repeating import next_ones
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def complete(
    activities: RecordQuerySet, *, by: Actor, outcome: str = "", occurred_at: datetime | None = None
) -> Outcome:
    """Mark pending activities as done, at `occurred_at` or now; completed or canceled ones are refused.

    Of those that repeat, the next is planned. `outcome`: of calls. Raises Invalid for a call without one, another kind
    with one, and a future time.
    """
    check_occurred(occurred_at)
    locked = lock(activities, by)
    for rows in locked.batches():
        over = rows.exclude(status="pending").values_list("pk", flat=True)
        locked.outcome.refuse(over, _("This activity is already closed."))
    now = clock.now()
    changes: dict[str, Any] = {"status": "done", "done_at": now, "occurred_at": occurred_at or now}
    for rows in locked.batches():
        for kind in rows.order_by().values_list("kind", flat=True).distinct():
            check_outcome(kind, "done", outcome)
        locked.outcome.done += rows.values_list("pk", flat=True)
        update_and_record("activity.completed", rows, changes | ({"outcome": outcome} if outcome else {}), by=by)
        touch(with_participants(rows))
        _plan_next(rows, by)
    return locked.outcome


def _plan_next(rows: QuerySet, by: Actor) -> None:
    """Plan the next of repeating activities, with the same participants."""
    both = next_ones(with_participants(rows.exclude(repeats="")), by)
    others = [[row.contact_id for row in completed.present] for completed, _planned in both]
    insert_activities([planned for _completed, planned in both], others, by=by)
