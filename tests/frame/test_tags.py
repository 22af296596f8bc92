"""Common tags and filters, and the sidebar's entries."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.template import Context, Template

from crm.kit import nav
from crm.kit.actor import Role
from crm.kit.nav import NavItem
from crm.kit.registry import Registry
from crm.kit.templatetags.frame import ago, initials
from crm.users.models import Membership

pytestmark = pytest.mark.once

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ana Ruiz", "AR"), ("ana maria de la ruiz", "AR"), ("Cher", "CH"), ("lee.kim@acme.example", "LK"), ("", "?")],
)
def test_initials(name, letters):
    assert initials(name) == letters


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=29), "29 d ago"),
        (timedelta(days=90), "17 Mar"),
        (timedelta(days=400), "11 May 2025"),
        (timedelta(days=-6), "in 6 d"),
    ],
)
def test_distances_in_time(delta, words):
    with time_machine.travel(NOW, tick=False):
        tag = ago(NOW - delta)
    assert f">{words}</time>" in tag
    assert 'title="' in tag


def test_no_time_is_a_dash():
    assert ago(None) == "—"


def test_names_are_escaped():
    tag = Template("{% load frame %}{% badge label 'amber' %}").render(Context({"label": "<b>"}))
    assert tag == '<span class="badge tone-amber">&lt;b&gt;</span>'


@pytest.fixture
def entries(monkeypatch):
    """Empty the sidebar for registrations."""
    monkeypatch.setattr(nav, "_items", Registry("entry"))
    monkeypatch.setattr(nav, "_facts", Registry("fact"))
    return nav


def counts(rf, by) -> dict[str, str]:
    request = rf.get("/")
    request.actor = by
    return nav.surroundings(request).counts


def test_counts_are_one_statement_and_stop_at_a_hundred(
    entries, rf, acme, actor, monkeypatch, django_assert_num_queries
):
    entries.register(NavItem("People", "people", "users", 1, count=lambda by: Membership.objects.active()))
    entries.register(NavItem("Teams", "teams", "users", 2, count=lambda by: Membership.objects.filter(team=by.team_id)))
    entries.register(NavItem("Profile", "profile", "users", 3))
    by = actor("rep")
    with django_assert_num_queries(1):
        assert counts(rf, by) == {"/settings/people/": "6", "/settings/teams/": "2"}
    monkeypatch.setattr(nav, "COUNT_LIMIT", 3)
    assert counts(rf, by) == {"/settings/people/": "2+", "/settings/teams/": "2"}


def test_no_counts_are_no_statement(entries, rf, acme, actor, django_assert_num_queries):
    entries.register(NavItem("Profile", "profile", "users", 1))
    with django_assert_num_queries(0):
        assert counts(rf, actor("rep")) == {}


def test_an_entry_for_admins_is_not_shown_to_others(entries, acme, actor):
    entries.register(NavItem("People", "people", "users", 1, role=Role.ADMIN))
    assert nav.items_for(actor("manager")) == []
    assert [item.label for item in nav.items_for(actor("admin"))] == ["People"]
