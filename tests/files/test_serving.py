"""Files are sent only to members who may see their record, and never run on our pages."""

import pytest

from crm.files.models import Attachment
from crm.files.storing import _content_type
from crm.records.verbs.assign import assign
from leads.models import Lead
from tests.factories import make_activity, make_company, make_contact, make_opportunity, rows
from tests.files.conftest import attached, png, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(acme, cast):
    return make_contact("Ana Ruiz", owner=cast.rep.pk, team=cast.iberia)


def links(file: Attachment) -> list[str]:
    return [f"/file/{file.public_id}{end}" for end in ("", "/download", "/preview")]


def test_a_download_is_saved_under_its_name_and_has_no_rights(ana, actor, sign_in):
    [file] = attached(ana, upload("page.html", b"<script>alert(1)</script>"), by=actor("rep"))
    response = sign_in("rep").get(f"/file/{file.public_id}/download")
    assert b"".join(response.streaming_content) == b"<script>alert(1)</script>"
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert (response["X-Content-Type-Options"], response["Cache-Control"]) == ("nosniff", "private, no-cache")
    assert sign_in("rep").get(f"/file/{file.public_id}/preview").status_code == 404


@pytest.mark.once
@pytest.mark.parametrize(
    "name, header",
    [
        ('say "hi".txt', 'attachment; filename="say \\"hi\\".txt"'),
        ("Übersicht 数.txt", "attachment; filename*=utf-8''%C3%9Cbersicht%20%E6%95%B0.txt"),
        ("a\r\nX-Evil: 1.txt", 'attachment; filename="a X-Evil: 1.txt"'),
    ],
)
def test_any_name_is_one_header(name, header, ana, actor, sign_in):
    file = upload("a.txt", b"text")
    file._name = name  # around Django's own cleaning
    [made] = attached(ana, file, by=actor("rep"))
    assert sign_in("rep").get(f"/file/{made.public_id}/download")["Content-Disposition"] == header


def test_images_and_pdfs_are_shown_by_what_they_are(ana, actor, sign_in):
    picture, pdf = attached(ana, upload("holiday.exe", png()), upload("a.txt", b"%PDF-1.7"), by=actor("rep"))
    shown = {file.pk: sign_in("rep").get(f"/file/{file.public_id}/preview") for file in (picture, pdf)}
    assert shown[picture.pk]["Content-Type"] == "image/png"
    assert shown[picture.pk]["Content-Security-Policy"].startswith("sandbox")
    assert shown[picture.pk]["Content-Disposition"] == 'inline; filename="holiday.exe"'
    assert shown[pdf.pk]["Content-Type"] == "application/pdf"
    assert "default-src 'none'" in shown[pdf.pk]["Content-Security-Policy"]


@pytest.mark.once
@pytest.mark.parametrize(
    "name, content, kind",
    [
        ("a.png", b"<svg onload='alert(1)'>", "application/octet-stream"),
        ("a.pdf", b"<html>", "application/octet-stream"),
        ("a.svg", b"<svg/>", "image/svg+xml"),
        ("a.bin", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("a.gif", b"GIF89a...", "image/gif"),
        ("unknown", b"text", "application/octet-stream"),
    ],
)
def test_a_type_that_is_shown_is_proved_by_the_bytes(name, content, kind):
    assert _content_type(upload(name, content), name) == kind


def test_a_file_seen_before_is_asked_for_again(ana, cast, actor, sign_in):
    [file] = attached(ana, upload("a.png", png()), by=actor("rep"))
    client, url = sign_in("rep"), f"/file/{file.public_id}/preview"
    etag = client.get(url)["ETag"]
    again = client.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again["Cache-Control"]) == (304, "private, no-cache")
    assign(rows(ana), cast.outsider.pk, by=actor("manager"), team=cast.nordics)
    assert client.get(url, headers={"If-None-Match": etag}).status_code == 404


@pytest.mark.parametrize("kind", ["contact", "company", "lead", "opportunity", "activity"])
def test_nobody_sees_a_file_of_another_team_also_after_losing_access(kind, ana, cast, actor, sign_in):
    own = {"owner": cast.rep.pk, "team": cast.iberia}
    record = {
        "contact": lambda: ana,
        "company": lambda: make_company(**own),
        "lead": lambda: Lead.objects.get(contact=ana),
        "opportunity": lambda: make_opportunity(contact=ana, **own),
        "activity": lambda: make_activity(contact=ana),
    }[kind]()
    if kind == "lead":
        assign(rows(record), cast.rep.pk, by=actor("manager"), team=cast.iberia)
    [file] = attached(record, upload("a.png", png()), by=actor("rep"))
    rep, outsider = sign_in("rep"), sign_in("outsider")
    assert [rep.get(link).status_code for link in links(file)] == [200, 200, 200]
    assert [outsider.get(link).status_code for link in links(file)] == [404, 404, 404]
    assign(rows(ana if kind == "activity" else record), cast.outsider.pk, by=actor("manager"), team=cast.nordics)
    assert [rep.get(link).status_code for link in links(file)] == [404, 404, 404]
    assert rep.post(f"/file/{file.public_id}/delete").status_code == 404
    assert rep.get(f"/{kind}/{record.public_id}/files").status_code == 404
    assert [outsider.get(link).status_code for link in links(file)] == [200, 200, 200]


def test_a_deleted_file_has_no_page_and_a_lost_one_is_no_error(ana, actor, sign_in, media):
    [file] = attached(ana, by=actor("rep"))
    (media / file.stored).unlink()
    assert sign_in("rep").get(f"/file/{file.public_id}/download").status_code == 404
    Attachment.objects.update(deleted_at=file.created_at)
    assert [sign_in("rep").get(link).status_code for link in links(file)] == [404, 404, 404]
