"""Bytes live as long as something refers to them: through the undo period, and no longer than the person."""

import os
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.delete_activity import delete_activity
from crm.files.models import Attachment
from crm.files.quota import usage
from crm.files.storing import GRACE, remove_orphans, stored
from crm.files.verbs.attach import attach
from crm.files.verbs.delete_attachment import delete_attachment
from crm.kit.errors import Refused
from leads.models import Lead
from tests.factories import make_activity, make_contact, rows
from tests.files.conftest import a_month_later, attached, upload

pytestmark = pytest.mark.django_db


def a_day_later() -> int:
    return remove_orphans(timezone.now() + GRACE + timedelta(minutes=1))


def test_a_deleted_file_is_kept_for_a_month_then_gone(acme, actor, kept_bytes, django_capture_on_commit_callbacks):
    [file] = attached(make_contact(), by=actor("manager"))
    deleted = delete_attachment(rows(file), by=actor("manager"))
    assert a_day_later() == 0
    assert kept_bytes()
    with django_capture_on_commit_callbacks(execute=True):
        a_month_later()
    assert (Attachment.objects.count(), kept_bytes()) == (0, [])
    with pytest.raises(Refused, match="permanently deleted"):
        undo(deleted.change, by=actor("manager"))


def test_the_files_of_a_deleted_activity_go_with_it(
    acme, actor, kept_bytes, sign_in, django_capture_on_commit_callbacks
):
    call = make_activity(contact=make_contact())
    [file] = attached(call, by=actor("manager"))
    page, client = f"/file/{file.public_id}", sign_in("manager")
    deleted = delete_activity(rows(call), by=actor("manager"))
    assert (client.get(page).status_code, usage().deleted_files) == (404, 1)
    undo(deleted.change, by=actor("manager"))
    assert (client.get(page).status_code, usage().deleted_files) == (200, 0)
    delete_activity(rows(call), by=actor("manager"))
    with django_capture_on_commit_callbacks(execute=True):
        a_month_later()
    assert (Attachment.objects.count(), kept_bytes()) == (0, [])


def test_a_killed_upload_leaves_bytes_that_are_removed_but_not_while_it_may_run(acme, kept_bytes):
    with stored([upload()]):
        pass  # nothing was attached: as if the process was killed here
    assert remove_orphans(timezone.now()) == 0
    assert kept_bytes()
    assert a_day_later() == 1
    assert kept_bytes() == []


def test_a_failed_upload_removes_its_bytes_at_once(acme, actor, kept_bytes, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("the disk is full")

    ana = make_contact()
    monkeypatch.setattr("crm.files.verbs.attach.record", fail)
    with pytest.raises(OSError), stored([upload(), upload("b.txt", b"b")]) as found:
        attach(rows(ana), found, by=actor("manager"))
    assert (Attachment.objects.count(), kept_bytes()) == (0, [])


def test_a_second_file_that_can_t_be_stored_takes_the_first_with_it(acme, kept_bytes):
    broken = upload("b.txt", b"b")
    broken.close()
    with pytest.raises(ValueError), stored([upload(), broken]):
        pass
    assert kept_bytes() == []


def test_the_bytes_of_an_undone_upload_go(acme, actor, kept_bytes):
    by = actor("manager")
    attached(make_contact(), by=by)
    undo(by.change, by=actor("manager"))
    assert a_day_later() == 1
    assert kept_bytes() == []


def test_files_are_erased_with_the_person_and_the_bytes_too(acme, actor, kept_bytes):
    ana, other = make_contact(), make_contact()
    for record in (ana, make_activity(contact=ana), Lead.objects.get(contact=ana)):
        attached(record, by=actor("manager"))
    attached(other, upload("other.txt", b"other"), by=actor("manager"))
    Lead.objects.filter(contact=ana).delete()
    Contact.objects.filter(pk=ana.pk).delete()
    assert a_day_later() == 3
    assert kept_bytes() == [b"other"]
    assert Attachment.objects.get().about == other


def test_what_lies_beside_the_files_is_left_alone(acme, media, kept_bytes):
    (media / "avatars").mkdir(parents=True)
    (media / "avatars" / "one.webp").write_bytes(b"a picture")
    os.utime(media / "avatars" / "one.webp", (0, time.time() - 10**7))
    assert a_day_later() == 0
    assert kept_bytes() == [b"a picture"]
