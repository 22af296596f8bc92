import pytest

from audit.models import Entry
from audit.undo.undo import undo
from crm.files.models import Attachment
from crm.files.storing import check_upload, clean_name, stored
from crm.files.verbs.attach import attach
from crm.files.verbs.delete_attachment import delete_attachment
from crm.files.verbs.edit_attachment import edit_attachment
from crm.kit.errors import Invalid, Refused
from crm.records.verbs.delete import delete
from leads.models import Lead
from tests.factories import make_activity, make_company, make_contact, make_opportunity, rows
from tests.files.conftest import attached, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(acme, cast):
    return make_contact("Ana Ruiz", owner=cast.rep.pk)


def records(ana) -> dict:
    """Return a record of each kind that files can belong to, all about one contact but the company."""
    return {
        "contact": ana,
        "company": make_company(),
        "lead": Lead.objects.get(contact=ana),
        "opportunity": make_opportunity(contact=ana),
        "activity": make_activity(contact=ana),
    }


@pytest.mark.parametrize("kind", ["contact", "company", "lead", "opportunity", "activity"])
def test_a_file_belongs_to_a_record_and_its_entry_to_the_contact(kind, ana, actor, kept_bytes):
    record = records(ana)[kind]
    [file] = attached(record, by=actor("manager"))
    assert (file.about, file.name, file.size, file.content_type) == (record, "offer.pdf", 17, "application/pdf")
    assert kept_bytes() == [b"%PDF-1.7 an offer"]
    entry = Entry.objects.get(event="attachment.added")
    assert entry.person == (None if kind == "company" else ana.pk)
    assert {key: entry.new_values[key] for key in ("name", kind)} == {"name": "offer.pdf", kind: record.pk}


def test_an_undone_upload_leaves_nothing_behind(ana, actor, kept_bytes):
    by = actor("rep")
    attached(ana, upload(), upload("second.txt", b"text"), by=by)
    undo(by.change, by=actor("rep"))
    assert not Attachment.objects.exists()


def test_a_file_is_renamed_described_deleted_and_each_is_undone(ana, actor):
    [file] = attached(ana, by=actor("rep"))
    edited = edit_attachment(rows(file), name="Offer 2026.pdf", description=" Signed ", by=actor("rep"))
    file.refresh_from_db()
    assert (file.name, file.description) == ("Offer 2026.pdf", "Signed")
    deleted = delete_attachment(rows(file), by=actor("rep"))
    assert not Attachment.objects.live().exists()
    undo(deleted.change, by=actor("rep"))
    undo(edited.change, by=actor("rep"))
    assert list(Attachment.objects.live().values_list("name", "description")) == [("offer.pdf", "")]


def test_files_of_one_name_are_numbered(ana, actor):
    attached(ana, upload("offer.pdf"), upload("OFFER.pdf"), upload(".env"), upload(".env"), by=actor("rep"))
    attached(ana, upload("offer.pdf"), by=actor("rep"))
    assert list(Attachment.objects.order_by("pk").values_list("name", flat=True)) == [
        "offer.pdf",
        "OFFER (2).pdf",
        "env",
        "env (2)",
        "offer (3).pdf",
    ]
    long = attached(ana, *[upload("x" * 300 + ".pdf") for _ in range(2)], by=actor("rep"))
    assert [(len(file.name), file.name[-9:]) for file in long] == [(200, "xxxxx.pdf"), (200, "x (2).pdf")]


def test_a_file_is_not_renamed_to_a_name_that_is_taken_or_empty(ana, actor):
    first, second = attached(ana, upload("a.pdf"), upload("b.pdf"), by=actor("rep"))
    for name, sentence in (("A.PDF", "Another file of this record has this name"), (" ", "Enter a name.")):
        with pytest.raises(Invalid, match=sentence):
            edit_attachment(rows(second), name=name, description="", by=actor("rep"))
    assert edit_attachment(rows(first), name="A.pdf", description="", by=actor("rep")).done == [first.pk]


@pytest.mark.once
@pytest.mark.parametrize(
    "sent, kept",
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\Offer.pdf", "Offer.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie: x=1.pdf"),
        ("report\u202efdp.exe", "report fdp.exe"),
        ("Über „Zahlen“ 数字.pdf", "Über „Zahlen“ 数字.pdf"),
        ("U\u0308ber.pdf", "Über.pdf"),
        ("...", "file"),
        ("", "file"),
        ("x" * 300 + ".docx", "x" * 195 + ".docx"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_name_is_one_visible_line_without_directories(sent, kept):
    assert clean_name(sent) == kept


@pytest.mark.once
def test_empty_and_large_files_are_refused_by_name(settings):
    settings.FILE_MAX_SIZE = 5 << 20
    check_upload(upload("a.txt", b"1"))
    with pytest.raises(Invalid, match="is empty"):
        check_upload(upload("a.txt", b""))
    large = upload("a.txt", b"1")
    large.size = (5 << 20) + 1
    with pytest.raises(Invalid, match=r"“a\.txt” is too large\. A file can have up to 5 MB"):
        check_upload(large)


def test_only_those_who_may_change_the_record_change_its_files(ana, cast, actor):
    [file] = attached(ana, by=actor("rep"))
    theirs = make_contact(owner=cast.outsider.pk, team=cast.nordics)
    [hidden] = attached(theirs, by=actor("outsider"))
    for who in ("viewer", "outsider"):
        assert delete_attachment(rows(file), by=actor(who)).refused
        with stored([upload()]) as found, pytest.raises(Refused, match="View only"):
            attach(rows(ana), found, by=actor(who))
    assert not delete_attachment(rows(hidden), by=actor("rep")).done
    assert list(Attachment.objects.visible_to(actor("rep"))) == [file]


def test_a_record_in_the_trash_takes_no_file_and_a_refused_one_leaves_no_bytes(ana, actor, kept_bytes):
    delete(rows(ana), by=actor("rep"), reason="Twice")
    with pytest.raises(Refused, match="in the trash"):
        attached(ana, by=actor("rep"))
    assert kept_bytes() == []


def test_a_converted_lead_still_takes_files(ana, actor):
    lead = Lead.objects.get(contact=ana)
    Lead.objects.filter(pk=lead.pk).update(
        status="converted", stage="opportunity", converted_date=lead.created_at, won_date=lead.created_at
    )
    assert attached(lead, by=actor("rep"))
