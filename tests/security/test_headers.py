"""Headers, cookies, tokens and errors of every route (S8, S9, S10, S20)."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.files.views import SANDBOX
from crm.kit.middleware import HEADERS
from tests.installed import legacy_leads
from tests.kit.commands import manage
from tests.security.calls import HTMX, call, told
from tests.security.matrix import MATRIX, url
from tests.security.test_isolation_matrix import listed

READS = legacy_leads.READS if legacy_leads else ()

pytestmark = pytest.mark.once

# Files of members have less rights than pages; tests/files/test_serving.py.
FILES, OF_FILES = {"attachment_download", "attachment_preview"}, {"Content-Security-Policy": SANDBOX}
UNSAFE = re.compile(r"unsafe-|\*|https?:|data:(?! *;)|'nonce|'sha")


def test_the_policy_allows_nothing_but_ourselves():
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert not UNSAFE.search(policy.replace("img-src 'self' data:;", ""))


@pytest.mark.parametrize("who", ["admin", "nobody"])
def test_every_route_carries_the_headers_whatever_it_answers(who, world, sign_in):
    client, bare = sign_in("admin") if who == "admin" else Client(), []
    for name, route in MATRIX.items():
        addresses = [url(name, route.args(world.own) if route.args else ())]
        addresses += [url(name, route.missing)] if route.missing else []
        for address in addresses:
            for method in ("GET", "POST"):
                response = call(client, method, address, route.data(world.own))
                expected = HEADERS | (OF_FILES if name in FILES and response.status_code == 200 else {})
                missing = [header for header, value in expected.items() if response.get(header) != value]
                if missing or response.get("X-Frame-Options", "DENY") != "DENY" or not response.get("X-Request-ID"):
                    bare.append((name, method, response.status_code, missing))
    assert not bare, listed(bare)


@pytest.mark.parametrize(
    "path", ["/static/app.css", "/static/app.js", "/static/nothing.js", "/media/avatars/x.webp", "/nothing"]
)
def test_files_carry_them_too(path, world):
    response = Client().get(path)
    assert {header: response.get(header) for header in HEADERS} == HEADERS
    assert (response.status_code == 200) == (path in ("/static/app.css", "/static/app.js"))


def test_what_varies_with_the_person_is_kept_by_no_cache(world, sign_in):
    client, kept = sign_in("admin"), []
    for name, route in MATRIX.items():
        for headers in ({}, HTMX):
            response = call(client, "GET", url(name, route.args(world.own) if route.args else ()), None, headers)
            asked_again, answer = response.get("Cache-Control", ""), response.status_code == 200
            page = answer and response["Content-Type"].startswith("text/html")
            if page and not ("no-store" in asked_again and "HX-Request" in response["Vary"]):
                kept.append((name, asked_again))
            if answer and not ("no-store" in asked_again or asked_again == "private, no-cache"):
                kept.append((name, asked_again))
    assert not kept, listed(kept)


# Browser reports need no token; webhooks are signed instead, and so is the unsubscribe link of email clients.
WITHOUT_TOKEN = {"csp_report", "workflow_hook", "campaign_unsubscribe"}


def test_no_route_takes_a_post_without_its_token(world, cast):
    client, taken = Client(enforce_csrf_checks=True), []
    client.force_login(cast.admin.user)
    for name, route in MATRIX.items():
        address = url(name, route.args(world.own) if route.args else ())
        status = call(client, "POST", address, route.data(world.own)).status_code
        if status != 403 and name not in WITHOUT_TOKEN:
            taken.append((name, status))
    assert not taken, listed(taken)


def test_nothing_is_changed_by_a_get(world, sign_in):
    client, wrote = sign_in("admin"), []
    for name, route in MATRIX.items():
        with CaptureQueriesContext(connection) as captured:
            call(client, "GET", url(name, route.args(world.own) if route.args else ()))
        writes = [q["sql"] for q in captured if re.match(r"\s*(INSERT|UPDATE|DELETE)", q["sql"], re.I)]
        # Sessions hold messages and sign-in state; refusals are recorded, readers of the retired table counted.
        allowed = "|".join(("django_session", "usersessions_", "audit_entry", "events_event", *READS))
        writes = [sql for sql in writes if not re.search(allowed, sql)]
        if writes:
            wrote.append((name, writes[0][:120]))
    assert not wrote, listed(wrote)


@pytest.mark.parametrize(
    "broken", ["crm.lists.views.read_state", "crm.records.views.pages.find_record", "crm.users.views.Membership"]
)
def test_a_broken_page_says_nothing_but_its_reference(broken, world, sign_in, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("secret-canary SELECT password FROM users_user")

    monkeypatch.setattr(broken, fail)
    client = sign_in("admin")
    client.raise_request_exception = False
    failed = 0
    for address in ("/contact", f"/contact/{world.own.contact.public_id}", "/settings/people/"):
        for headers in ({}, HTMX):
            response = client.get(address, headers=headers)
            if response.status_code == 500:
                failed += 1
                assert response["X-Request-ID"] in told(response)
                for word in ("secret-canary", "RuntimeError", "Traceback", ".py", "SELECT", world.own.mark):
                    assert word not in told(response)
    assert failed


def test_cookies_are_for_this_host_and_no_script(cast):
    client = Client()
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "rep@acme.example", "password": "throughline-demo"})
    assert set(client.cookies) >= {"sessionid", "csrftoken", "device"}
    for cookie in client.cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key
        assert cookie["path"] == "/"
        assert not cookie["domain"]


def test_the_shipped_production_settings_pass_django_s_own_check(tmp_path):
    production = {
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ",
        "ALLOWED_HOSTS": "crm.example",
        "DEBUG": "0",
    }
    result = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **production)
    assert result.returncode == 0, result.stderr
    names = (
        "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SECURE_HSTS_SECONDS)"
    )
    shown = manage(tmp_path, "shell", "-v", "0", "-c", names, **production)
    assert shown.stdout.split() == ["__Host-sessionid", "__Host-csrftoken", "31536000"]
