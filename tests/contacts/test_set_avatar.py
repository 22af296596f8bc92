from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from PIL import Image, ImageFile, ImageOps

from contacts import pictures as module
from contacts.models import Contact
from contacts.pictures import square_webp
from contacts.verbs.set_avatar import set_avatar
from crm.kit.errors import Invalid
from tests.factories import rows
from tests.log import written

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def picture(size=(40, 20), kind="PNG", **options) -> BytesIO:
    out = BytesIO()
    Image.new("RGB", size, "green").save(out, kind, **options)
    out.seek(0)
    return out


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_drawn_anew_as_a_square(kind, open_contact, actor):
    by = actor("rep")
    set_avatar(rows(open_contact), square_webp(picture(kind=kind)), by=by)
    name = Contact.objects.get().avatar.name
    with Image.open(default_storage.open(name)) as kept:
        assert (kept.format, kept.size) == ("WEBP", (256, 256))
    assert written(by) == [("contact.updated", open_contact.pk, {"avatar": ""}, {"avatar": name})]
    set_avatar(rows(open_contact), None, by=actor("rep"))
    assert Contact.objects.get().avatar.name == ""


@pytest.mark.parametrize("content", [b"", b"<svg onload='alert(1)'/>", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(Invalid, match="This file isn’t a picture"):
        square_webp(BytesIO(content))


@pytest.mark.parametrize(
    ("kind", "side", "most"), [("PNG", 3001, 9), ("GIF", 3001, 9), ("WEBP", 3001, 9), ("JPEG", 5001, 25)]
)
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_read(kind, side, most, monkeypatch):
    small = picture((side, side), kind)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("The pixels were read."))
    with pytest.raises(Invalid, match=f"more than {most} megapixels"):
        square_webp(small)


def test_a_photograph_is_scaled_down_while_it_is_read(monkeypatch):
    """Decoded in full it would take 75 MB instead of 5."""
    read, fit = [], ImageOps.fit
    monkeypatch.setattr(module.ImageOps, "fit", lambda image, size: read.append(image.size) or fit(image, size))
    square_webp(picture((5000, 5000), "JPEG"))
    assert read == [(625, 625)]


def test_a_refused_picture_is_not_stored(open_contact, actor, tmp_path):
    assert set_avatar(rows(open_contact), square_webp(picture()), by=actor("outsider")).refused
    assert not list(tmp_path.rglob("*.webp"))
