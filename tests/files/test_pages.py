import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import Entry
from contacts.models import Activity
from crm.files import uploading
from crm.files.models import Attachment
from crm.files.verbs.delete_attachment import delete_attachment
from crm.records.verbs.delete import delete
from leads.models import Lead
from tests.factories import make_activity, make_company, make_contact, make_opportunity, rows
from tests.files.conftest import attached, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(acme, cast):
    return make_contact("Ana Ruiz", owner=cast.rep.pk)


def test_several_files_are_attached_at_once_and_undone_together(ana, sign_in):
    client = sign_in("rep")
    files = [upload("a.txt", b"a"), upload("b.txt", b"b")]
    page = client.post(f"/contact/{ana.public_id}/files", {"files": files}, follow=True)
    assert page.redirect_chain[0][0] == f"/contact/{ana.public_id}"
    assert "2 files attached." in page.text
    assert [file.uploader.user.name for file in Attachment.objects.all()] == ["Rep", "Rep"]
    client.post(f"/undo/{Entry.objects.filter(event='attachment.added').first().change}")
    assert not Attachment.objects.exists()


def test_what_can_t_be_attached_is_named_and_the_others_are(ana, sign_in, settings, monkeypatch):
    settings.FILE_MAX_SIZE = 10
    monkeypatch.setattr(uploading, "MOST_FILES", 3)
    files = [upload("a.txt", b"a"), upload("empty.txt", b""), upload("large.txt", b"1" * 11), upload("d.txt", b"d")]
    page = sign_in("rep").post(f"/contact/{ana.public_id}/files", {"files": files}, follow=True)
    for sentence in (
        "1 file attached.",
        "“empty.txt” is empty.",
        "“large.txt” is too large. A file can have up to 10 bytes.",
        "Only the first 3 files were attached.",
    ):
        assert sentence in page.text
    assert [file.name for file in Attachment.objects.all()] == ["a.txt"]
    nothing = sign_in("rep").post(f"/contact/{ana.public_id}/files", {}, follow=True)
    assert "Choose a file to attach." in nothing.text


def test_a_full_workspace_says_so(ana, sign_in, settings):
    settings.FILE_QUOTA = 4
    page = sign_in("rep").post(f"/contact/{ana.public_id}/files", {"files": upload("a.txt", b"12345")})
    assert (page.status_code, "Left: 4 bytes." in page.text) == (409, True)


def test_files_are_logged_with_an_activity_and_undone_with_it(ana, sign_in, settings):
    client, note = sign_in("rep"), {"kind": "note", "body": "Sent the offer", "once": "x" * 32}
    page = client.post(f"/contact/{ana.public_id}/activity", note | {"files": upload("offer.pdf")}, follow=True)
    assert [sentence in page.text for sentence in ("Note added.", "1 file attached.", "offer.pdf</a>")] == [True] * 3
    assert Attachment.objects.get().about == Activity.objects.get()
    client.post(f"/undo/{Entry.objects.get(event='activity.logged').change}")
    assert not (Attachment.objects.exists() or Activity.objects.exists())
    settings.FILE_QUOTA = 1
    page = client.post(f"/contact/{ana.public_id}/activity", note | {"files": upload(), "once": "y" * 32}, follow=True)
    assert ("Note added." in page.text, "Left: 1 byte." in page.text) == (True, True)


def test_a_double_click_attaches_once(ana, sign_in):
    client = sign_in("rep")
    for _ in range(2):
        sent = SimpleUploadedFile("a.txt", b"a")
        client.post(f"/contact/{ana.public_id}/files", {"files": sent, "once": "x" * 32})
    assert Attachment.objects.count() == 1


def test_every_page_of_a_record_shows_its_files(ana, actor, sign_in):
    places = {
        ana: ana.get_absolute_url(),
        (company := make_company()): company.get_absolute_url(),
        (lead := Lead.objects.get(contact=ana)): lead.get_absolute_url(),
        (deal := make_opportunity(contact=ana)): deal.get_absolute_url(),
        (call := make_activity(contact=ana)): f"/activity/{call.public_id}",
    }
    for record, page in places.items():
        name = f"{record._meta.model_name}.pdf"
        [file] = attached(record, upload(name), by=actor("manager"))
        assert f'<a class="primary" href="/file/{file.public_id}">{name}</a>' in sign_in("admin").get(page).text
        assert page in sign_in("admin").get(file.get_absolute_url()).text
    shown = sign_in("admin").get(ana.get_absolute_url()).text
    assert "activity.pdf</a>" in shown  # below the call in the timeline


def test_the_panel_has_the_newest_files_and_leads_to_all(ana, actor, sign_in):
    attached(ana, *[upload(f"{number:02}.txt", b"1") for number in range(10)], by=actor("rep"))
    panel = sign_in("rep").get(ana.get_absolute_url()).text.partition('class="card files"')[2]
    assert (">09.txt<" in panel, ">01.txt<" in panel) == (True, False)
    everything = sign_in("rep").get(f"/contact/{ana.public_id}/files").text
    assert (">09.txt<" in everything, ">00.txt<" in everything) == (True, True)


def test_who_may_not_change_the_record_gets_no_form(ana, actor, sign_in):
    [file] = attached(ana, by=actor("rep"))
    for who, offered in (("rep", True), ("viewer", False), ("outsider", False)):
        client = sign_in(who)
        assert ("Attach files" in client.get(ana.get_absolute_url()).text) is offered
        assert ("Save" in client.get(file.get_absolute_url()).text) is offered
        assert file.name in client.get(ana.get_absolute_url()).text
    delete(rows(ana), by=actor("rep"), reason="Twice")
    assert "Attach files" not in sign_in("rep").get(ana.get_absolute_url()).text
    assert sign_in("rep").get(f"/file/{file.public_id}/download").status_code == 200


def test_the_timeline_names_the_files(ana, actor, sign_in):
    company, deal = make_company(owner=None), make_opportunity(contact=ana)
    for record in (ana, company, deal):
        [first, second] = attached(record, upload("a.pdf"), upload("b.pdf"), by=actor("manager"))
        delete_attachment(rows(second), by=actor("manager"))
        lines = _lines(sign_in("rep").get(record.get_absolute_url()).text)
        assert f'<strong>Manager</strong> attached files: <a class="link" href="/file/{first.public_id}">a.pdf' in lines
        assert "<strong>Manager</strong> deleted a file: b.pdf" in lines
    assert lines.count("a.pdf") == 1


def test_a_file_of_a_hidden_opportunity_is_not_in_the_contact_s_timeline(ana, cast, actor, sign_in):
    deal = make_opportunity(contact=ana, owner=cast.outsider.pk, team=cast.nordics)
    attached(deal, upload("secret.pdf"), by=actor("manager"))
    assert "secret.pdf" not in sign_in("rep").get(ana.get_absolute_url()).text
    assert "secret.pdf" in sign_in("manager").get(ana.get_absolute_url()).text


def _lines(page: str) -> str:
    timeline = page.partition('id="timeline"')[2].partition("</ol>")[0]
    return " ".join(timeline.split())
