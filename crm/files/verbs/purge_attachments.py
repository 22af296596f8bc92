"""Permanently delete files that were deleted before."""

from datetime import datetime
from functools import partial

from django.db import transaction

from audit.record import record
from crm.files.models import Attachment
from crm.files.storing import discard
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.roles import Right, require


@transaction.atomic
def purge_attachments(deleted_before: datetime, *, by: Actor) -> Outcome:
    """Delete the rows of files that were deleted before a time, by themselves or with their activity.

    Their bytes are removed after the commit. This can't be undone.
    Raises NotAllowed below an admin.
    """
    require(by, Right.WORKSPACE)
    rows = Attachment.objects.deleted_before(deleted_before).order_by("pk")
    found = dict(rows.select_for_update(of=("self",)).values_list("pk", "stored"))
    gone = Attachment.objects.filter(pk__any_of=list(found))
    record("attachment.purged", gone, by=by)
    gone.delete()
    # What a crash leaves behind here is removed with the orphans.
    transaction.on_commit(partial(discard, list(found.values())))
    return Outcome(by.change, list(found))
