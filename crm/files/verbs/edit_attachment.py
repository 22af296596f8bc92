"""Rename and describe files."""

from django.db import transaction

from audit.record import update_and_record
from crm.files.models import Attachment
from crm.files.names import taken_names
from crm.files.storing import clean_name
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.text import normalize_line
from crm.kit.translation import gettext as _
from crm.records.validation import check_lengths
from crm.users.visibility import Locked, RecordQuerySet, lock


@transaction.atomic
def edit_attachment(files: RecordQuerySet, *, name: str, description: str, by: Actor) -> Outcome:
    """Set name and description of a file. Raises Invalid without a name, or if another file of the record has it."""
    if not name.strip():
        raise Invalid({"name": _("Enter a name.")})
    values = {"name": clean_name(name), "description": normalize_line(description)}
    check_lengths(Attachment, values)
    locked = lock(files, by)
    _check_free(locked, values["name"])
    for rows in locked.batches():
        update_and_record("attachment.updated", rows, values, by=by)
        locked.outcome.done += rows.values_list("pk", flat=True)
    return locked.outcome


def _check_free(locked: Locked, name: str) -> None:
    for rows in locked.batches():
        for file in rows:
            entity = file.owner_entity
            if name.casefold() in taken_names(entity, getattr(file, f"{entity}_id"), but=locked.ids):
                raise Invalid({"name": _("Another file of this record has this name. Choose a different one.")})
