import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from crm.files.jobs import KEPT, remove_files
from crm.files.models import Attachment
from crm.files.storing import stored
from crm.files.verbs.attach import attach
from crm.kit.actor import Actor
from tests.factories import rows


def upload(name: str = "offer.pdf", content: bytes = b"%PDF-1.7 an offer") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(file, "PNG")
    return file.getvalue()


def attached(record, *uploads: SimpleUploadedFile, by: Actor) -> list[Attachment]:
    """Attach uploads (by default one) to a record through the verb."""
    with stored(uploads or [upload()]) as found:
        made = attach(rows(record), found, by=by)
    return list(Attachment.objects.filter(pk__in=made.done).order_by("pk"))


def a_month_later() -> None:
    """Run the scheduled job after the undo period."""
    remove_files(timezone.now() + KEPT + timedelta(days=2))


@pytest.fixture(autouse=True)
def media(settings, tmp_path) -> Path:
    """Store uploads in a directory of this test."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def kept_bytes(media):
    """`kept_bytes()` returns the contents of all stored files, sorted."""
    return lambda: sorted(path.read_bytes() for path in media.rglob("*") if path.is_file())
