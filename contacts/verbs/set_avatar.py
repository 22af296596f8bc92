"""Set or remove a contact's picture."""

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from crm.kit.actor import Actor
from crm.kit.ids import new_id
from crm.kit.outcome import Outcome
from crm.records.writing import apply
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def set_avatar(contacts: RecordQuerySet, picture: bytes | None, *, by: Actor) -> Outcome:
    """Set the contacts' picture, in the format of contacts.pictures.square_webp(); None restores initials."""
    locked = lock(contacts, by)
    name = _stored(picture) if picture and len(locked.outcome.refused) < len(locked.ids) else ""
    for rows in locked.batches():
        apply("contact.updated", rows, {"avatar": name}, by=by)
        locked.outcome.done += rows.values_list("pk", flat=True)
    return locked.outcome


def _stored(picture: bytes) -> str:
    return default_storage.save(f"avatars/{new_id('avatar')}.webp", ContentFile(picture))
