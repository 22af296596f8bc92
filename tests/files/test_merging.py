import pytest

from audit.undo.undo import undo
from contacts.verbs.merge import merge
from crm.files.models import Attachment
from crm.files.verbs.delete_attachment import delete_attachment
from tests.factories import make_activity, make_contact, rows
from tests.files.conftest import attached, upload

pytestmark = pytest.mark.django_db


def names_by_contact() -> dict:
    return {file.name: file.contact_id or file.activity.contact_id for file in Attachment.objects.all()}


def test_files_move_to_the_survivor_and_an_unmerge_moves_them_back(acme, actor):
    survivor, twin = make_contact("Ana Ruiz"), make_contact("Ana R.")
    attached(survivor, upload("a.txt", b"a"), by=actor("manager"))
    [_, deleted] = attached(twin, upload("b.txt", b"b"), upload("deleted.txt", b"d"), by=actor("manager"))
    removed = delete_attachment(rows(deleted), by=actor("manager"))
    attached(make_activity(contact=twin), upload("c.txt", b"c"), by=actor("manager"))
    before = names_by_contact()
    merged = merge(survivor, rows(twin), by=actor("manager"))
    assert set(names_by_contact().values()) == {survivor.pk}
    undo(removed.change, by=actor("manager"))
    assert Attachment.objects.live().of("contact", survivor).count() == 3
    undo(merged.change, by=actor("manager"))
    assert names_by_contact() == before
