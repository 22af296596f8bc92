"""User-defined queries are stopped at their limit with a message; too many concurrent ones get a retry message."""

import pytest
from django.db import connection, transaction
from django.http import HttpResponse

from contacts.views import home, merging
from crm.dashboards.query import DashboardQuery
from crm.kit import timelimit
from crm.kit.pool import FairSemaphore
from crm.lists import paging as list_rows
from crm.lists.state import ListState
from crm.records.views import options
from tests.factories import make_contact
from tests.security.calls import told

FOREVER = {
    "sqlite": "(WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) "
    "SELECT MAX(i) FROM n) > 0",
    "postgresql": "(SELECT true FROM pg_sleep(20))",
}
SELECTION = {"everything": "1", "query": "q=person", "action": "assign"}
SHAPED = [
    ("GET", "/contact?q=person", {}),
    ("GET", "/contact?where=name+contains+person", {}),
    ("GET", f"/contact?where={'+or+'.join(['stage+=+Lead'] * 11)}", {}),  # though each has an index
    ("GET", "/contact/export?q=person", {}),
    ("GET", "/qualification/board?q=person", {}),
    ("GET", "/dashboard/part/funnel", {}),
    ("GET", "/dashboard/part/funnel/split.csv", {}),
    ("GET", "/dashboard?parts=all", {}),
    ("GET", "/search?q=person", {}),
    ("GET", "/contact/options?entity=contact&q=person", {}),
    ("GET", "/contact/{}/merge?q=person", {}),
    ("POST", "/contact/bulk", SELECTION),
    ("POST", "/contact/bulk", SELECTION | {"confirm": "1", "owner": "", "team": "keep"}),
]


@pytest.fixture
def contact(acme):
    make_contact()
    return make_contact()


@pytest.fixture
def slow(monkeypatch):
    """Make filters and searches endless, with a limit of a tenth of a second."""
    monkeypatch.setattr(timelimit, "SHAPED", 0.1)
    monkeypatch.setattr("crm.records.views.importing.LONG", 0.1)
    monkeypatch.setattr("crm.dashboards.show.TIME_LIMIT", 0.1)
    for where, name in ((ListState, "rows"), (DashboardQuery, "rows"), (list_rows, "search")):
        _slow_down(monkeypatch, where, name)
    for module in (home, merging, options):
        monkeypatch.setattr(module, "search", list_rows.search)


def _slow_down(monkeypatch, where, name):
    before = getattr(where, name)
    monkeypatch.setattr(
        where, name, lambda *args, **kwargs: before(*args, **kwargs).extra(where=[FOREVER[connection.vendor]])
    )


def ask(client, method: str, url: str, data: dict, contact) -> HttpResponse:
    url = url.format(contact.public_id)
    return client.get(url) if method == "GET" else client.post(url, data)


def test_what_takes_too_long_is_stopped_and_said(slow, contact, sign_in):
    client = sign_in("manager")
    for request in SHAPED:
        answer = ask(client, *request, contact)
        assert answer.status_code in (200, 422), request
        assert "taking too long" in told(answer) or "takes too long" in told(answer), request


def test_too_many_at_once_are_told_when_to_come_back(contact, sign_in, monkeypatch):
    monkeypatch.setattr(timelimit, "turns", FairSemaphore(size=0, queue=0, patience=0))
    client = sign_in("manager")
    for request in SHAPED:
        answer = ask(client, *request, contact)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5"), request
        assert "The server is busy." in told(answer), request


def test_a_page_that_sets_no_limit_has_one(contact, sign_in, monkeypatch):
    monkeypatch.setattr(timelimit, "PAGE", 0.1)
    monkeypatch.setattr("contacts.views.home.sections", _wait)
    answer = sign_in("rep").get("/")
    assert answer.status_code == 422
    assert "This took too long and was stopped. No changes were saved." in answer.content.decode()


def _wait(by):
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # inside a test's transaction the connection precedes the request
            cursor.execute("SET LOCAL statement_timeout = 100")
        cursor.execute(f"SELECT {FOREVER[connection.vendor]}")
        return cursor.fetchall()


def test_ordinary_pages_need_no_turn(contact, sign_in, monkeypatch):
    monkeypatch.setattr(timelimit, "turns", FairSemaphore(size=0, queue=0, patience=0))
    client = sign_in("rep")
    for url in ("/", "/contact", "/contact?view=all&sort=-last_activity", f"/contact/{contact.public_id}", "/healthz"):
        assert client.get(url).status_code == 200
    saved = client.post(f"/contact/{contact.public_id}/field/title", {"title": "Head of fleet"})
    assert saved.status_code in (200, 302)
