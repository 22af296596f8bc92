from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from contacts.models import Contact
from contacts.verbs import set_avatar as module
from contacts.verbs.set_avatar import set_avatar
from crm.kit.errors import Invalid
from tests.factories import rows
from tests.log import assert_nothing_written, written


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
    set_avatar(rows(open_contact), picture(kind=kind), by=by)
    name = Contact.objects.get().avatar.name
    with Image.open(default_storage.open(name)) as kept:
        assert (kept.format, kept.size) == ("WEBP", (256, 256))
    assert written(by) == [("contact.updated", open_contact.pk, {"avatar": ""}, {"avatar": name})]
    set_avatar(rows(open_contact), None, by=actor("rep"))
    assert Contact.objects.get().avatar.name == ""


@pytest.mark.parametrize("content", [b"", b"<svg onload='alert(1)'/>", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_no_picture_is_refused(content, open_contact, actor, tmp_path):
    by = actor("rep")
    with pytest.raises(Invalid, match="This file is not a picture"):
        set_avatar(rows(open_contact), BytesIO(content), by=by)
    assert_nothing_written(by)
    assert not list(tmp_path.rglob("*.webp"))


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_drawn(open_contact, actor, monkeypatch):
    monkeypatch.setattr(module, "MOST_PIXELS", 799)
    with pytest.raises(Invalid, match="too large"):
        set_avatar(rows(open_contact), picture(), by=actor("rep"))


def test_a_refused_picture_is_not_stored(open_contact, actor, tmp_path):
    assert set_avatar(rows(open_contact), picture(), by=actor("outsider")).refused
    assert not list(tmp_path.rglob("*.webp"))
