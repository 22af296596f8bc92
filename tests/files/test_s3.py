"""Uploads in a bucket: the same round trip, against an S3 server started here."""

import boto3
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from moto.server import ThreadedMotoServer

from crm.backup import uploads
from crm.environment import read
from crm.files.models import Attachment
from crm.files.storing import GRACE, remove_orphans, stored
from crm.files.verbs.delete_attachment import delete_attachment
from tests.factories import make_contact, rows
from tests.files.conftest import a_month_later, attached, png, upload

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.fixture(scope="module")
def server():
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()


@pytest.fixture
def bucket(server, settings, tmp_path):
    """Store uploads in a new bucket, below a prefix; return it."""
    name = f"uploads-{tmp_path.name.replace('_', '-')}"[:60].strip("-").lower()
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "se/cret", "region_name": "us-east-1"}
    made = boto3.resource("s3", endpoint_url=server, **keys).create_bucket(Bucket=name)
    url = f"s3://key:se%2Fcret@{name}?region=us-east-1&endpoint={server}&prefix=crm"
    settings.STORAGES = settings.STORAGES | {"default": read(tmp_path, {"STORAGE_URL": url}).uploads}
    return made


def contents(bucket) -> dict[str, bytes]:
    return {each.key: each.get()["Body"].read() for each in bucket.objects.all()}


def test_a_file_is_stored_sent_and_removed(acme, actor, sign_in, bucket, django_capture_on_commit_callbacks):
    large = b"%PDF-1.7" + b"x" * (3 << 20)
    picture, pdf = attached(make_contact(), upload("a.png", png()), upload("b.pdf", large), by=actor("manager"))
    assert contents(bucket) == {f"crm/{picture.stored}": png(), f"crm/{pdf.stored}": large}
    client = sign_in("manager")
    assert b"".join(client.get(f"/file/{picture.public_id}/preview").streaming_content) == png()
    response = client.get(f"/file/{pdf.public_id}/download")
    assert response["Content-Length"] == str(len(large))
    assert b"".join(response.streaming_content) == large
    with default_storage.open(pdf.stored) as opened:
        assert opened.read(1) == b"%"
        assert opened.file._rolled, "on the disk while it is sent"
    delete_attachment(rows(picture, pdf), by=actor("manager"))
    with django_capture_on_commit_callbacks(execute=True):
        a_month_later()
    assert (contents(bucket), Attachment.objects.count()) == ({}, 0)


def test_a_lost_object_is_a_missing_page(acme, actor, sign_in, bucket):
    [file] = attached(make_contact(), by=actor("manager"))
    bucket.objects.all().delete()
    assert sign_in("manager").get(f"/file/{file.public_id}/download").status_code == 404


def test_orphans_are_removed_and_files_are_not(acme, actor, bucket):
    remove_orphans(timezone.now())  # of an empty bucket
    [file] = attached(make_contact(), by=actor("manager"))
    with stored([upload("killed.txt", b"killed")]):
        pass
    assert remove_orphans(timezone.now()) == 0
    assert remove_orphans(timezone.now() + 2 * GRACE) == 1
    assert list(contents(bucket)) == [f"crm/{file.stored}"]


def test_a_backup_has_the_objects_and_a_restore_puts_them_back(acme, actor, bucket, tmp_path):
    [file] = attached(make_contact(), by=actor("manager"))
    default_storage.save("avatars/one.webp", upload("one.webp", b"a picture"))
    before, unpacked = contents(bucket), tmp_path / "unpacked"
    for name, copy in uploads.copies(tmp_path):
        target = unpacked / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(copy.read_bytes())
    bucket.objects.filter(Prefix=f"crm/{file.stored}").delete()
    default_storage.save("avatars/later.webp", upload("later.webp", b"later"))
    assert uploads.any_upload()
    uploads.put_back(unpacked / uploads.FOLDER, tmp_path / "aside")
    assert contents(bucket) == before
