"""Give a contact a picture, or take it away."""

from io import BytesIO
from typing import IO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from PIL import Image, ImageOps, UnidentifiedImageError

from contacts.fields import apply
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.ids import new_id
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock

SIDE = 256  # pixels
MOST_PIXELS = 40_000_000


@transaction.atomic
def set_avatar(contacts: RecordQuerySet, picture: IO[bytes] | None, *, by: Actor) -> Outcome:
    """Show `picture` (an image file) for contacts, cut to a square; None: their initials again.

    What is kept is a WebP drawn anew, so neither a place in the metadata nor a script in the file survives.
    Raises Invalid for what is not a picture.
    """
    locked = lock(contacts, by)
    name = _stored(picture) if picture and len(locked.outcome.refused) < len(locked.ids) else ""
    for rows in locked.batches():
        apply("contact.updated", rows, {"avatar": name}, by=by)
        locked.outcome.done += rows.values_list("pk", flat=True)
    return locked.outcome


def _stored(picture: IO[bytes]) -> str:
    return default_storage.save(f"avatars/{new_id('avatar')}.webp", ContentFile(_drawn(picture)))


def _drawn(picture: IO[bytes]) -> bytes:
    try:
        with Image.open(picture, formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Invalid({"avatar": "The picture is too large: 40 megapixels at most."})
            square = ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), (SIDE, SIDE))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid({"avatar": "This file is not a picture: PNG, JPEG, GIF or WebP is expected."}) from None
    out = BytesIO()
    square.save(out, "WEBP", quality=85)
    return out.getvalue()
