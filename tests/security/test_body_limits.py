"""Size limits by user and URL are checked before reading a body."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crm.kit import transfers
from crm.kit.pool import FairSemaphore
from crm.lists.models import ImportRun
from tests.factories import make_contact
from tests.security.calls import told

ANYBODY, MEMBER, PICTURE, FILE = 64 << 10, 1 << 20, 10 << 20, 100 << 20
OPEN = ["/csp-report", "/unsubscribe/x", "/hooks/workflow_123456789", "/accounts/login/", "/healthz", "/nowhere"]


class Unread:
    """A body that must not be read."""

    def read(self, *args):
        raise AssertionError("The body was read.")

    readline = read


def send(client: Client, url: str, size: int):
    """Return the response to a POST that declares `size`."""
    told = {"CONTENT_LENGTH": str(size), "CONTENT_TYPE": "multipart/form-data; boundary=x", "wsgi.input": Unread()}
    return client.post(url, b"", "", **told)


@pytest.mark.parametrize("url", [*OPEN, "/contact/new", "/contact/import", "/admin/"])
def test_a_stranger_sends_little(db, url):
    answer = send(Client(enforce_csrf_checks=True), url, 300 << 20)
    assert answer.status_code == 413
    assert "Send up to 64 KB." in told(answer)
    assert send(Client(), url, ANYBODY + 1).status_code == 413


@pytest.mark.parametrize(
    ("url", "most"), [*((url, MEMBER) for url in ("/contact/new", "/contact/bulk")), ("/contact/import", FILE)]
)
def test_a_member_sends_what_the_page_accepts(acme, sign_in, url, most):
    assert send(sign_in("rep"), url, most + 1).status_code == 413
    with pytest.raises(AssertionError, match="was read"):
        send(sign_in("rep"), url, most)


def test_a_picture_is_no_larger_than_a_picture(acme, sign_in):
    url = f"/contact/{make_contact().public_id}/avatar"
    assert "Send up to 10 MB." in told(send(sign_in("rep"), url, PICTURE + 1))


def test_a_body_without_a_length_is_refused(db):
    answer = Client().post("/csp-report", b"", "text/plain", HTTP_TRANSFER_ENCODING="chunked")
    assert answer.status_code == 411
    assert "Send the length of the request body" in told(answer)


def test_a_file_of_more_than_the_memory_keeps_is_imported(acme, sign_in):
    lines = "".join(f"Person {n},p{n}@x.example,{'x' * 2000}\n" for n in range(1500))
    file = SimpleUploadedFile("people.csv", f"Name,Email,Notes\n{lines}".encode(), "text/csv")
    assert sign_in("rep").post("/contact/import", {"file": file}).status_code == 302
    assert ImportRun.objects.get().file.size == file.size


def test_few_send_or_take_much_at_once(acme, sign_in, monkeypatch):
    make_contact(notes="x" * 20_000)
    client = sign_in("rep")
    monkeypatch.setattr(transfers, "LARGE_FILE", 10_000)
    export = client.get("/contact/export?view=all&columns=notes")
    assert export.status_code == 200
    assert transfers.transfers._taken.total() == 1
    assert b"".join(export.streaming_content)
    assert transfers.transfers._taken.total() == 0
    monkeypatch.setattr(transfers, "transfers", FairSemaphore(size=0, queue=0, patience=0))
    for answer in (
        client.get("/contact/export?view=all&columns=notes"),
        client.post("/contact/new", {"name": "Ann", "notes": "x" * 100_000}),
    ):
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert client.get("/contact/export?view=all&columns=name").status_code == 200
