"""Attach files to a record."""

from collections.abc import Sequence

from django.db import transaction

from audit.record import record
from crm.entities.registry import entity_of
from crm.files.models import OWNERS, Attachment
from crm.files.names import unique_names
from crm.files.quota import reserve
from crm.files.storing import StoredFile
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock

SNAPSHOT = (*OWNERS, "name", "description", "size", "content_type", "stored", "uploader")


@transaction.atomic
def attach(records: RecordQuerySet, files: Sequence[StoredFile], *, by: Actor) -> Outcome:
    """Attach stored files to the one record of `records`; the outcome's ids are those of the files.

    A name that another file of the record has gets a number: “offer (2).pdf”. Raises Refused for a record that can't
    be changed, except final ones, whose history goes on; and beyond the quota.
    """
    locked = lock(records, by, final=True)
    locked.outcome.or_raise()
    entity = entity_of(records.model)
    reserve(sum(file.size for file in files))
    made = [file for pk in locked.ids for file in _rows(entity, pk, files, by)]
    Attachment.objects.bulk_create(made)
    ids = [file.pk for file in made]
    record("attachment.added", Attachment.objects.filter(pk__in=ids), by=by, snapshot=SNAPSHOT)
    return Outcome(by.change, ids)


def _rows(entity: str, pk: int, files: Sequence[StoredFile], by: Actor) -> list[Attachment]:
    now = clock.now()
    shared = {f"{entity}_id": pk, "uploader_id": by.member_id, "created_at": now, "updated_at": now}
    names = unique_names(entity, pk, [file.name for file in files])
    return [
        Attachment(name=name, size=file.size, content_type=file.content_type, stored=file.stored, **shared)
        for name, file in zip(names, files, strict=True)
    ]
