"""Any input gets a proper response, and neither log nor caches keep secrets."""

import base64
import json
import logging

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from contacts.models import Activity, Company, Contact
from crm.entities.schema import schema
from crm.kit import views
from crm.kit.logs import RouteInsteadOfPath
from crm.kit.text import LONGEST
from crm.lists.paging import Cursor, Sort
from crm.records.registry import RECORD_TYPES
from crm.users.models import Team, Workspace
from tests.factories import make_contact
from tests.security.calls import call

pytestmark = pytest.mark.once

PLACES = [
    "x", "-1", "9" * 30, "9" * 5000, "²", "e30=", "WyJ4Il0=", "2026-01-01~x", "2026-01-01~" + "9" * 30, "~1",
    "0001-01-01T00:00:00+14:00~1", "9999-12-31T23:59:59-14:00~1", "\ud800".encode("utf-8", "surrogatepass").hex(),
    *(base64.urlsafe_b64encode(json.dumps(value).encode()).decode() for value in (
        ["a\0b", 1, 0, False], ["\ud800", 1, 0, False], ["NaN", 1, 0, False], ["1E+999999", 1, 0, False],
        ["0001-01-01T00:00:00+14:00", 1, 0, False], [{}, 1, 0, False], [None, "x", None, 3], [[]] * 4,
    )),
]  # fmt: skip


@pytest.fixture
def pages(world) -> list[str]:
    """Return every page with a cursor: lists by each kind of sort, boards, timelines."""
    found = [
        f"/{spec.path}?view=all&sort={sort}"
        for spec in (kind.listing for kind in RECORD_TYPES.values())
        for sort in ("name", "-created_at", "owner")
    ]
    found += [
        "/opportunity?view=all&sort=amount",
        "/opportunity?view=all&sort=close_date",
        "/contact?view=all&sort=-role",
    ]
    found += ["/opportunity/board?column=prospecting", "/qualification/board?column=new"]
    own = world.own
    found += [
        f"{record.get_absolute_url()}/timeline?" for record in (own.contact, own.company, own.opportunity, own.lead)
    ]
    return [
        *found,
        *(f"{reverse(name)}?" for name in ("notifications", "exceptions", "campaigns")),
        f"{own.campaign.get_absolute_url()}?",
    ]


def test_a_place_that_was_tampered_with_is_told_so(pages, sign_in):
    client, wrong = sign_in("admin"), []
    for page in pages:
        for name in ("after", "before"):
            # All lists parse cursors by the same function: contacts test it completely.
            for place in PLACES if "/contact" in page or "view=all" not in page else PLACES[:2]:
                status = call(client, "GET", f"{page}&{name}={place}").status_code
                if status not in (200, 400):
                    wrong.append((page, name, place[:40], status))
    assert not wrong, wrong
    assert call(client, "GET", "/contact?view=all&after=x").status_code == 400


def test_a_place_of_one_sort_is_none_of_another(acme, sign_in):
    place = Cursor("ana", 1, 50, False).pack(Sort(schema("contact").field("name"), False))
    client = sign_in("rep")
    assert client.get(f"/contact?view=all&sort=name&after={place}").status_code == 200
    assert client.get(f"/contact?view=all&sort=last_activity&after={place}").status_code == 400


def test_a_picture_is_asked_for_again_and_not_shown_after_a_sign_out(world, sign_in):
    client, address = sign_in("rep"), f"/contact/{world.own.contact.public_id}/avatar"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    client.post("/accounts/logout/")
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 302


def test_no_secret_of_a_path_is_logged(world, caplog):
    caplog.handler.addFilter(RouteInsteadOfPath())
    with caplog.at_level(logging.DEBUG):
        for path in (
            f"/invitation/{world.own.token}/",
            f"/nothing/{world.own.token}",
            f"/unsubscribe/{world.own.token}",
        ):
            Client(raise_request_exception=False).get(path)
            Client(raise_request_exception=False).post(path)
    assert caplog.records
    assert world.own.token not in caplog.text


def report(page: str, **facts) -> str:
    told = {"effectiveDirective": "script-src", "blockedURL": "https://evil.example/x.js?a=b", "documentURL": page}
    return json.dumps([{"type": "csp-violation", "body": told | facts}])


@pytest.fixture
def csp(db, caplog, monkeypatch):
    """Send a browser's report."""
    views._reported.clear()
    return lambda body: Client().post("/csp-report", body, content_type="application/reports+json").status_code


def test_a_report_is_logged_without_the_address_of_the_page(csp, caplog):
    assert csp(report("https://crm.example/contact/contact_fX9bL5nRd?q=secret")) == 204
    assert "script-src refused evil.example on /contact/<public_id:public_id>" in caplog.text
    assert "fX9bL5nRd" not in caplog.text


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "[1]", '{"csp-report": []}', "[" * 4000, report("http://[", blockedURL="\n" * 50)]
)
def test_what_is_no_report_is_a_short_line(body, csp, caplog):
    assert csp(body) == 204
    assert len(caplog.messages[-1]) < 120
    assert "\n" not in caplog.messages[-1]


def test_reports_do_not_flood_the_log(csp, caplog):
    assert {csp(report("https://crm.example/")) for _ in range(60)} == {204}
    assert len([message for message in caplog.messages if "security policy" in message]) == views.REPORTS


BROKEN = "Nova\r\nBcc: all@evil.example\x0b\x1b"


def test_line_breaks_in_names_do_not_keep_an_invitation_from_being_sent(cast, sign_in):
    client = sign_in("admin")
    client.post("/settings/profile/", {"name": BROKEN, "theme": "auto", "timezone": "", "shortcuts": "on"})
    Workspace.objects.filter(pk=cast.acme.pk).update(name=BROKEN)  # from before names were folded
    client.post("/settings/teams/", {"name": BROKEN})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda function, **options: function())
        client.post("/settings/people/invite/", {"email": "new@person.example", "role": "rep"})
    (sent,) = mail.outbox
    assert sent.subject == "Nova Bcc: all@evil.example invited you to Nova Bcc: all@evil.example"
    cast.admin.user.refresh_from_db()
    assert (
        cast.admin.user.name
        == Team.objects.unscoped().get(name__startswith="Nova").name
        == "Nova Bcc: all@evil.example"
    )


def test_long_texts_have_an_end(acme, sign_in):
    client, contact = sign_in("rep"), make_contact("Ana")
    long, kept = "x" * (LONGEST + 1), "x" * LONGEST
    page = contact.get_absolute_url()
    assert client.post(f"{page}/field/notes", {"notes": long, "base-notes": ""}).status_code == 422
    assert client.post(f"{page}/field/notes", {"notes": kept, "base-notes": ""}).status_code == 302
    note = {"kind": "note", "subject": "Met", "priority": "normal"}
    assert client.post(f"{page}/activity", note | {"body": long}).status_code == 422
    assert client.post("/company/new", {"name": "Nova", "description": long}).status_code == 422
    assert client.post("/company/new", {"name": "Nova", "description": long + kept}).status_code == 400
    assert Contact.objects.get().notes == kept
    assert not (Activity.objects.exists() or Company.objects.exists())
