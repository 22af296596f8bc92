"""The bytes of files: written before the row, removed after it.

Why: docs/decisions/0075-a-file-is-a-row-and-bytes.md
"""

import mimetypes
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile

from crm.files.models import IMAGES, PDF, Attachment
from crm.kit import formats
from crm.kit.errors import Invalid
from crm.kit.scope import workspace_id
from crm.kit.translation import gettext as _

ROOT = "files"
GRACE = timedelta(days=1)  # bytes without a row may belong to an upload that is still running
LONGEST, ENDING = 200, 20  # characters of a name, and of the part kept when it is cut
UNKNOWN = "application/octet-stream"  # not a text
BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": PDF,
}


@dataclass(frozen=True)
class StoredFile:
    """An upload whose bytes are stored, without a row yet."""

    name: str
    size: int
    content_type: str
    stored: str


@contextmanager
def stored(uploads: Iterable[UploadedFile]) -> Iterator[Sequence[StoredFile]]:
    """Store the bytes of uploads for the block, which attaches them; if it fails they are removed again.

    Call it outside transactions: a large file takes too long to hold SQLite's lock. If the process is killed,
    remove_orphans() removes them.
    """
    found: list[StoredFile] = []
    try:
        for upload in uploads:
            found.append(_store(upload))
        yield found
    except BaseException:
        delete_stored_files(file.stored for file in found)
        raise


def check_upload(upload: UploadedFile) -> None:
    """Raise Invalid for an empty file and for one above the limit, before any byte is stored."""
    size, most = upload.size or 0, settings.FILE_MAX_SIZE
    if not size:
        raise Invalid(_("“{name}” is empty.").format(name=clean_name(upload.name or "")))
    if size > most:
        sentence = _("“{name}” is too large. A file can have up to {size}.")
        raise Invalid(sentence.format(name=clean_name(upload.name or ""), size=formats.file_size(most)))


def _store(upload: UploadedFile) -> StoredFile:
    name, key = clean_name(upload.name or ""), token_hex(16)
    kind = _content_type(upload, name)
    place = default_storage.save(f"{ROOT}/{workspace_id()}/{key[:2]}/{key}", File(upload.file, name=key))
    return StoredFile(name, upload.size or 0, kind, place)


def _content_type(upload: UploadedFile, name: str) -> str:
    """Return the type by the first bytes for types that are previewed, otherwise by the name."""
    upload.seek(0)
    head = upload.read(16)
    upload.seek(0)
    found = next((kind for beginning, kind in BEGINNINGS.items() if head.startswith(beginning)), "")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        found = "image/webp"
    guess = mimetypes.guess_type(name)[0] or UNKNOWN
    return found or (UNKNOWN if guess in {*IMAGES, PDF} else guess[:100])


def clean_name(name: str) -> str:
    """Return a file's name without directories, control and invisible characters; “file” if nothing is left.

    Characters that reverse the direction of text could disguise the ending: “gpj.exe” for “exe.jpg”.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in last)
    return _shortened(" ".join(visible.split()).strip(". ")) or _("file")


def _shortened(name: str) -> str:
    """Cut a long name before its ending."""
    stem, dot, ending = name.rpartition(".")
    if len(name) <= LONGEST or not dot or len(ending) > ENDING:
        return name[:LONGEST]
    return f"{stem[: LONGEST - len(ending) - 1]}.{ending}"


def delete_stored_files(places: Iterable[str]) -> None:
    """Remove bytes from the storage; what is already gone is no error."""
    for place in places:
        default_storage.delete(place)


def remove_orphans(now: datetime) -> int:
    """Remove bytes that no row refers to, except those stored within GRACE. Return how many.

    They are left by killed uploads, by undone ones, and by rows that were deleted with their record.
    """
    removed = 0
    for folder in _folders():
        names = default_storage.listdir(folder)[1]
        places = {f"{folder}/{name}" for name in names}
        known = set(Attachment.objects.unscoped().filter(stored__in=places).values_list("stored", flat=True))
        orphans = [place for place in sorted(places - known) if _is_old(place, now)]
        delete_stored_files(orphans)
        removed += len(orphans)
    return removed


def _folders() -> Iterator[str]:
    for workspace in _below(ROOT):
        yield from _below(workspace)


def _below(folder: str) -> list[str]:
    try:
        return [f"{folder}/{name}" for name in sorted(default_storage.listdir(folder)[0])]
    except FileNotFoundError:  # nothing was ever stored
        return []


def _is_old(place: str, now: datetime) -> bool:
    try:
        return default_storage.get_modified_time(place) < now - GRACE
    except FileNotFoundError:  # removed meanwhile
        return False
