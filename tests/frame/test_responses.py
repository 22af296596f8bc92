"""Headers of every response, and htmx variants."""

import json
import logging

import pytest
from django.test import Client

from crm.kit.views import server_error

pytestmark = pytest.mark.once

HTMX = {"HX-Request": "true"}
EVERY_ANSWER = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; report-to csp"
    ),
    "Reporting-Endpoints": 'csp="/csp-report"',
    "Permissions-Policy": (
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self)"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.fixture
def client(sign_in):
    client = sign_in("admin")
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/settings/profile/", 200),
        ("/admin/", 200),
        ("/settings/nothing/", 404),
        ("/broken", 500),
        ("/refusing/refused", 409),
        ("/moving", 302),
        ("/static/app.css", 200),
        ("/static/nothing.css", 404),
    ],
)
def test_security_headers_are_on_every_answer(url, status, client, settings):
    response = client.get(url)
    assert response.status_code == status
    assert {name: response.get(name) for name in EVERY_ANSWER} == EVERY_ANSWER
    assert len(response["X-Request-ID"]) >= 16


def test_a_host_that_is_not_ours_gets_them_too(db):
    response = Client(headers={"host": "evil.example"}).get("/settings/profile/")
    assert response.status_code == 400
    assert response["Content-Security-Policy"] == EVERY_ANSWER["Content-Security-Policy"]


def test_a_person_s_pages_are_kept_by_no_cache(client):
    page = client.get("/settings/profile/")
    assert page["Cache-Control"] == "no-store, private"
    assert "HX-Request" in page["Vary"]
    assert "HX-Request" in client.get("/workspaces/", headers=HTMX)["Vary"]
    assert "no-store" not in client.get("/static/app.css").get("Cache-Control", "")


def test_a_broken_page_gives_a_reference_and_nothing_else(client, caplog):
    caplog.set_level(logging.ERROR)
    response = client.get("/broken")
    page = response.content.decode()
    assert response["X-Request-ID"] in page
    for secret in ("hunter2", "RuntimeError", "Traceback", "tests/frame"):
        assert secret not in page


def test_a_broken_page_is_answered_without_the_database(client, django_assert_num_queries):
    request = client.get("/public").wsgi_request
    with django_assert_num_queries(0):
        assert server_error(request).status_code == 500


@pytest.mark.parametrize(
    ("kind", "status", "sentence"),
    [
        ("refused", 409, "Email required for qualification"),
        ("invalid", 422, "A name is needed."),
        ("not-allowed", 403, "Only admins may do this."),
        ("conflict", 409, "Someone else changed this record while you were editing it."),
    ],
)
def test_what_a_verb_refuses_is_said(kind, status, sentence, client):
    page, part = client.get(f"/refusing/{kind}"), client.get(f"/refusing/{kind}", headers=HTMX)
    assert page.status_code == part.status_code == status
    assert sentence in page.content.decode()
    assert json.loads(part["HX-Trigger"]) == {"toast": {"text": sentence, "tone": "error"}}
    assert not part.content


def test_htmx_is_told_to_load_the_page_it_is_sent_to(client):
    response = client.get("/moving", headers=HTMX)
    assert (response.status_code, response["HX-Redirect"]) == (200, "/settings/profile/")
    assert "Saved." in client.get("/settings/profile/").content.decode()


def test_an_ended_session_sends_htmx_to_the_sign_in_page(db):
    response = Client().get("/settings/profile/", headers=HTMX)
    assert response["HX-Redirect"] == "/accounts/login/?next=/settings/profile/"


def test_messages_come_with_the_part_once(client):
    part = client.get("/telling", headers=HTMX).content.decode()
    assert part.startswith("<p>part</p>")
    assert 'id="toasts" hx-swap-oob="beforeend"' in part
    assert "Three people assigned." in part
    assert 'action="/undo/1"' in part
    assert "Three people" not in client.get("/settings/profile/").content.decode()


def test_messages_of_a_page_wait_for_the_next(client):
    assert "Three people" not in client.get("/telling").content.decode()
    assert "Three people assigned." in client.get("/settings/profile/").content.decode()


def test_a_form_without_its_token_is_refused_kindly(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.admin.user)
    response = client.post("/settings/teams/", {"name": "South"})
    assert response.status_code == 403
    assert "has expired" in response.content.decode()


def test_reports_of_the_browser_are_logged(db, caplog):
    body = json.dumps([{"body": {"blockedURL": "https://evil.example/x.js"}}])
    response = Client(enforce_csrf_checks=True).post("/csp-report", body, content_type="application/reports+json")
    assert response.status_code == 204
    assert "evil.example" in caplog.text


def test_a_stranger_gets_a_page_without_the_frame(db):
    response = Client().get("/nothing/")
    assert response.status_code == 404
    assert 'class="sidebar"' not in response.content.decode()


def test_a_member_keeps_the_frame(client):
    assert 'class="sidebar"' in client.get("/nothing/").content.decode()
