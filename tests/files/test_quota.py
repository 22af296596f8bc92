"""A workspace's files stay within its quota."""

import pytest

from crm.files.models import Attachment
from crm.files.quota import check_quota, usage
from crm.files.storing import stored
from crm.files.verbs.attach import attach
from crm.files.verbs.delete_attachment import delete_attachment
from crm.files.verbs.purge_attachments import purge_attachments
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.errors import NotAllowed, Refused
from crm.kit.scope import in_workspace
from tests.factories import make_contact, rows
from tests.files.conftest import attached, upload
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def test_what_exceeds_the_quota_is_refused_and_leaves_no_bytes(acme, actor, settings, kept_bytes):
    settings.FILE_QUOTA = 3 << 10
    ana = make_contact()
    attached(ana, upload("a.txt", b"a" * 1024), by=actor("manager"))
    with pytest.raises(Refused, match=r"can use 3 KB in total\. Left: 2 KB"):
        attached(ana, upload("b.txt", b"b" * 1500), upload("c.txt", b"c" * 1500), by=actor("manager"))
    assert kept_bytes() == [b"a" * 1024]
    check_quota(2 << 10)
    with pytest.raises(Refused):
        check_quota((2 << 10) + 1)


def test_deleted_files_count_until_an_admin_removes_them(acme, actor, kept_bytes, django_capture_on_commit_callbacks):
    [file, kept] = attached(make_contact(), upload("a.txt", b"1234"), upload("b.txt", b"12"), by=actor("manager"))
    delete_attachment(rows(file), by=actor("manager"))
    assert usage() == (6, 2, 4, 1)
    with pytest.raises(NotAllowed):
        purge_attachments(clock.now(), by=actor("manager"))
    with django_capture_on_commit_callbacks(execute=True):
        assert purge_attachments(clock.now(), by=actor("admin")).done == [file.pk]
    assert usage() == (2, 1, 0, 0)
    assert kept_bytes() == [b"12"]
    assert Attachment.objects.get() == kept


def test_another_workspace_has_its_own_quota(acme, cast, actor, settings):
    settings.FILE_QUOTA = 4
    attached(make_contact(), upload("a.txt", b"1234"), by=actor("manager"))
    with in_workspace(cast.globex):
        attached(
            make_contact(by=cast.globex_rep.actor(Channel.WEB)),
            upload("a.txt", b"1234"),
            by=cast.globex_admin.actor(Channel.WEB),
        )


def test_the_settings_page_shows_used_and_left_and_removes_deleted_files(acme, actor, sign_in, settings):
    settings.FILE_QUOTA = 10 << 20
    [file] = attached(make_contact(), upload("a.txt", b"1" * (1 << 20)), by=actor("manager"))
    client = sign_in("admin")
    assert "1 MB of 10 MB used, 9 MB left" in client.get("/settings/files/").text
    assert "permanently" not in client.get("/settings/files/").text
    delete_attachment(rows(file), by=actor("manager"))
    assert "Delete 1 file permanently" in client.get("/settings/files/").text
    assert "1 file permanently deleted." in client.post("/settings/files/", follow=True).text
    assert usage().files == 0


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_eight_uploads_at_once_do_not_exceed_the_quota(cast, settings, kept_bytes):
    settings.FILE_QUOTA = 30
    with in_workspace(cast.acme):
        people = [make_contact() for _ in range(8)]

    def attach_to(person):
        with stored([upload("a.txt", b"0123456789")]) as found:
            return attach(rows(person), found, by=cast.manager.actor(Channel.WEB))

    results, errors = at_once(cast.acme, [lambda person=person: attach_to(person) for person in people])
    assert (len(results), {type(error) for error in errors}, len(errors)) == (3, {Refused}, 5)
    with in_workspace(cast.acme):
        assert usage().used == 30
    assert kept_bytes() == [b"0123456789"] * 3
