"""Statements of an empty page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.kit import nav
from crm.kit.registry import Registry

pytestmark = pytest.mark.once


def statements(client, url) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured]


def test_a_signed_in_page_costs_two_statements(sign_in, monkeypatch):
    # The frame's counts and facts are a third, if an app registers any.
    monkeypatch.setattr(nav, "_items", Registry("entry"))
    monkeypatch.setattr(nav, "_facts", Registry("fact"))
    client = sign_in("rep")
    session, person = statements(client, "/gallery/blank")
    assert "django_session" in session
    for table in ("users_user", "users_membership", "users_workspace", "users_team", "mfa_authenticator"):
        assert table in person


def test_a_page_for_strangers_costs_none(client, db):
    assert statements(client, "/accounts/login/") == []
    assert statements(client, "/public") == []
    assert statements(client, "/healthz") == []
