"""Stuck records by reason: past their expected time, by unmet criterion, unless snoozed."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.http import QueryDict

from contacts.axes import LIFECYCLE
from contacts.entities import CONTACT
from contacts.models import Contact
from crm.dashboards.parts.stuck import limits, stuck
from crm.dashboards.query import read_query
from crm.kit import clock
from crm.lifecycle.definitions import definitions
from crm.lifecycle.models import Transition
from crm.lifecycle.verbs.save_definition import save_definition
from crm.lifecycle.verbs.wait import wait
from leads.axes import OPEN, STATUS
from tests.factories import make_contact, rows

LEAD = {
    "meaning": "A prospect",
    "entry": "email is not empty",
    "exit": "email is not empty and owner is not empty",
    "expected_days": 10,
}


@pytest.fixture
def defined(acme, actor):
    """Define ten days for leads; no expectation for others."""
    save_definition(LIFECYCLE, "lead", LEAD, by=actor("admin"))


def told(cast, who="manager") -> dict[str, int]:
    """Map each unmet criterion to its number of contacts."""
    content = stuck(read_query(QueryDict(""), getattr(cast, who).actor("web")))
    reasons = SimpleNamespace(**{table.name: table for table in content.tables}).why
    return {row.label.text: row.cells[0].value for row in reasons.rows if row.label.text.startswith("Contact")}


def older(contact: Contact, days: int) -> Contact:
    Contact.objects.filter(pk=contact.pk).update(lifecycle_stage_since=clock.now() - timedelta(days=days))
    return contact


def test_records_are_grouped_by_what_is_missing(defined, cast):
    older(make_contact("Ready", owner=cast.rep), 11)
    older(make_contact("No mail", owner=cast.rep, email=""), 11)
    older(make_contact("Neither", email=""), 11)
    older(make_contact("Young", email=""), 9)
    email = str(CONTACT.fields["email"].label).lower()
    assert told(cast) == {
        f"Contact · Lead – No {email}": 2,
        "Contact · Lead – No owner": 1,
        "Contact · Lead – ready to move": 1,
    }


def test_by_owner_every_number_is_all_that_the_owner_has(defined, cast):
    older(make_contact("No mail", owner=cast.rep, email=""), 11)
    older(make_contact("Ready", owner=cast.rep), 11)
    older(make_contact("Nobody's", email=""), 11)
    content = stuck(read_query(QueryDict(""), cast.manager.actor("web")))
    owners = SimpleNamespace(**{table.name: table for table in content.tables}).owners
    assert [(row.label.text, row.cells[0].value) for row in owners.rows] == [(str(cast.rep), 2), ("Unassigned", 1)]


def test_what_waits_is_not_stuck(defined, cast, actor):
    ana = older(make_contact(owner=cast.rep, email=""), 11)
    wait(rows(ana), by=actor("rep"), reason="Budget", until=clock.now() + timedelta(days=5))
    assert told(cast) == {}
    with clock.at(clock.now() + timedelta(days=6)):
        assert sum(told(cast).values()) == 1


def test_a_rep_sees_those_they_see(defined, cast):
    older(make_contact(owner=cast.outsider, team=cast.nordics, email=""), 11)
    assert told(cast, "rep") == {}
    assert sum(told(cast, "outsider").values()) == 1


def test_without_an_expected_duration_the_history_says(acme, cast, actor):
    assert limits(LIFECYCLE, ("lead", "qualified"), definitions(LIFECYCLE)) == {}
    common = {"entity": "contact", "axis": "lifecycle_stage", "from_value": "lead", "to_value": "qualified"}
    common |= {"verb": "qualify", "at": clock.now(), "recorded_at": clock.now(), "channel": "web"}
    common |= {"change": actor("rep").change}
    caches["values"].clear()
    for number, days in enumerate((1, 2, 3, 4, 9)):
        Transition.objects.create(record_id=number, spent=timedelta(days=days), **common)
    assert limits(LIFECYCLE, ("lead", "qualified"), definitions(LIFECYCLE)) == {"lead": 4}


def test_what_is_defined_goes_before_the_history(acme):
    assert limits(STATUS, OPEN, definitions(STATUS)) == {"new": 1, "working": 28, "qualified": 14}
