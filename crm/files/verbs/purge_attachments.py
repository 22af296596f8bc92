"""Permanently delete files that were deleted before."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from audit import values as audited
from audit.record import LogRow, record_rows
from audit.subjects import subject
from crm.files.models import Attachment
from crm.files.storing import delete_stored_files
from crm.files.verbs.attach import SNAPSHOT
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.roles import Right, require


@transaction.atomic
def purge_attachments(deleted_before: datetime, *, by: Actor) -> Outcome:
    """Delete the rows of files that were deleted before a time, by themselves or with their activity.

    Their bytes are removed after the commit. This can't be undone. Raises NotAllowed below an admin.
    """
    require(by, Right.WORKSPACE)
    rows = Attachment.objects.deleted_before(deleted_before).annotate(person=subject("attachment").person_key)
    found = list(rows.order_by("pk").select_for_update(of=("self",)))
    ids = [file.pk for file in found]
    Attachment.objects.filter(pk__any_of=ids).delete()
    facts = (LogRow(file.pk, file.person, _values(file), None) for file in found)  # type: ignore[attr-defined]
    record_rows("attachment.purged", facts, by=by)
    # What a crash leaves behind here is removed with the orphans.
    transaction.on_commit(partial(delete_stored_files, [file.stored for file in found]))
    return Outcome(by.change, ids)


def _values(file: Attachment) -> dict[str, Any]:
    found = {key: audited.to_log(audited.read_value(file, key)) for key in (*SNAPSHOT, "deleted_at")}
    return {key: value for key, value in found.items() if value not in (None, "")}
