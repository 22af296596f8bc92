"""Delete files."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def delete_attachment(files: RecordQuerySet, *, by: Actor) -> Outcome:
    """Hide files; undoing the change restores them until they are purged."""
    locked = lock(files, by)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        update_and_record("attachment.deleted", rows, {"deleted_at": clock.now()}, by=by)
    return locked.outcome
