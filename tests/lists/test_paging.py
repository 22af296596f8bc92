"""Keyset pages: forward and back, every row once, with ties, empty values and concurrent inserts."""

from datetime import UTC, date, datetime, timedelta
from itertools import cycle

import pytest
from django.db import transaction
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.lists import CONTACTS
from contacts.models import Company, Contact
from crm.kit import compiled_queries
from crm.kit.actor import Channel
from crm.kit.text import fold, search_key
from crm.lists import paging as module
from crm.lists.paging import list_page_rows, parse_cursor
from crm.lists.state import ALL, ListState
from tests.budget import examples
from tests.factories import make_company, make_field

START = datetime(2026, 1, 1, tzinfo=UTC)
numbers = st.sampled_from([None, 0, 1, 2, 0.1, 0.2, 0.3, -1.5, 1e6, 123456.789012])
# Only names sort equally everywhere, by key; accents in other texts depend on the engine.
VALUES = {
    "name": st.sampled_from(["ana", "bo", "zoe", "ñandú"]),
    "title": st.sampled_from(["", "CFO", "cfo", "alto", "Zoo", "10%"]),
    "last_activity": st.integers(0, 3).map(lambda n: START + timedelta(days=n, microseconds=n)),
    "last_engagement": st.none() | st.integers(0, 3).map(lambda n: START + timedelta(days=n)),
    "lifecycle_stage": st.sampled_from(["lead", "customer", "lost"]),
    "role": st.sampled_from(["", "champion", "user"]),
    "owner": st.sampled_from([None, "rep", "mate", "manager"]),
    "team": st.sampled_from([None, "iberia", "nordics"]),
    "company": st.sampled_from([None, "Acme", "beta"]),
    "fleet_size": numbers,
    "since": st.sampled_from([None, "2026-01-01", "2025-12-31", "2026-03-01"]),
    "insured": st.sampled_from([None, True, False]),
    "trade": st.sampled_from([None, "taxi", "Bus", "bus"]),
    "trial": st.sampled_from([None, "signed_up", "active", "paying", "forgotten"]),
}
CUSTOM = {"fleet_size", "since", "insured", "trade", "trial"}
TRIAL = ("signed_up", "active", "paying")
STAGES = ("lead", "qualified", "customer", "lost", "churned", "partner")
# A cell's content for comparison.
SHOWN = {
    "name": search_key,
    "owner": lambda member: member.user.name.casefold(),
    "team": lambda team: team.name.casefold(),
    "company": lambda company: company.name_key,
    "since": date.fromisoformat,
    "lifecycle_stage": STAGES.index,
    "role": ("decision_maker", "influencer", "champion", "blocker", "user").index,
    "trial": lambda value: TRIAL.index(value) if value in TRIAL else None,
}


def folded(value):
    return fold(value) if isinstance(value, str) else value


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    """Set pages of three rows; clear prepared queries before and after."""
    compiled_queries._kept.clear()
    monkeypatch.setattr(module, "PAGE", 3)
    yield
    compiled_queries._kept.clear()


@pytest.fixture
def fields(acme):
    for key, kind in (
        ("fleet_size", "number"),
        ("since", "date"),
        ("insured", "yes_no"),
        ("trade", "text"),
        ("seller", "user"),
    ):
        make_field(key, kind)
    make_field("trial", "select", choices=[{"value": value, "label": value} for value in TRIAL])
    return {name: make_company(name) for name in ("Acme", "beta")}


def add(key: str, value, cast, companies: dict[str, Company]) -> Contact:
    """Create a contact without verbs: only the order is tested."""
    now = {
        name: START for name in ("created_at", "updated_at", "lifecycle_stage_since", "status_since", "last_activity")
    }
    contact = Contact(name="x", **now)
    if key in CUSTOM:
        contact.custom = {} if value is None else {key: value}
    elif key in ("owner", "team"):
        setattr(contact, key, value and getattr(cast, value))
    elif key == "company":
        contact.company = companies.get(value)
    else:
        setattr(contact, key, value)
    contact.derive()
    contact.save()
    return contact


def expected(found: list[Contact], key: str, descending: bool) -> list[int]:
    def value(contact):
        raw = contact.custom.get(key) if key in CUSTOM else getattr(contact, key)
        return None if raw in (None, "") else folded(SHOWN.get(key, lambda v: v)(raw))

    full = [c for c in found if value(c) is not None]
    empty = [c for c in found if value(c) is None]
    full.sort(key=lambda c: (value(c), c.pk), reverse=descending)
    empty.sort(key=lambda c: c.pk, reverse=descending)
    return [c.pk for c in full + empty]


def walk(key: str, descending: bool, by, meanwhile=lambda: None) -> tuple[list[list[int]], list[list[int]]]:
    """Return the pages forward, then back from the last one (in display order)."""
    query = QueryDict(f"sort={'-' * descending}{key}&columns=name,{key}")

    def read_page(cursor: str):
        state = ListState(CONTACTS, ALL, [], query, by)
        return list_page_rows(state, parse_cursor(cursor, state.sort))

    pages, found = [], read_page("")
    places = [found.start]
    pages.append([row[0] for row in found.found])
    while found.next:
        meanwhile()
        found = read_page(found.next)
        pages.append([row[0] for row in found.found])
        places.append(found.start)
        assert len(pages) < 50, "the pages never end"
    back = [pages[-1]]
    while found.previous:
        found = read_page(found.previous)
        back.insert(0, [row[0] for row in found.found])
        assert len(back) < 50, "the pages never end"
    lengths = [1]
    for each in pages[:-1]:
        lengths.append(lengths[-1] + len(each))
    assert places == lengths
    return pages, back


@pytest.mark.parametrize("who", ["manager", "rep"])
@pytest.mark.parametrize("key", VALUES)
def test_each_row_once_forward_and_back(key, who, fields, cast):
    by = getattr(cast, who).actor(Channel.WEB)

    @settings(max_examples=examples(5), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(values=st.lists(VALUES[key], min_size=1, max_size=12), descending=st.booleans())
    def check(values, descending):
        with transaction.atomic():
            found = [add(key, value, cast, fields) for value in values]
            if who == "rep":
                found = [c for c in found if c.team_id in (None, cast.iberia.pk) or c.owner_id == cast.rep.pk]
            pages, back = walk(key, descending, by)
            wanted = expected(found, key, descending)
            assert [pk for each in pages for pk in each] == wanted
            assert [pk for each in back for pk in each] == wanted
            assert all(len(each) == 3 for each in pages[:-1])
            transaction.set_rollback(True)

    check()


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("key", ["last_activity", "title", "fleet_size"])
def test_rows_that_come_meanwhile_hide_none(key, descending, fields, cast):
    by = cast.manager.actor(Channel.WEB)
    samples = {
        "last_activity": [START, START + timedelta(days=1)],
        "title": ["", "a", "b"],
        "fleet_size": [None, 1, 2.5],
    }[key]
    old = {add(key, samples[n % len(samples)], cast, fields).pk for n in range(11)}
    late = cycle(samples)
    pages, _ = walk(key, descending, by, meanwhile=lambda: add(key, next(late), cast, fields))
    seen = [pk for each in pages for pk in each]
    assert len(seen) == len(set(seen))
    assert old <= set(seen)
