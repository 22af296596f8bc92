"""First-contact deadlines, also across clock changes (RELIABILITY R31)."""

from datetime import UTC, datetime

import pytest

from contacts.verbs.create import create
from crm.kit import clock
from crm.kit.errors import Invalid, NotAllowed
from leads.assignment.models import FirstContactTerms
from leads.deadlines import deadline
from leads.models import Lead
from leads.verbs.set_first_contact_terms import set_first_contact_terms
from tests.factories import make_contact

WEEK, SUNDAYS = [0, 1, 2, 3, 4], list(range(7))
OFFICE = {"in_business_hours": True, "days": WEEK, "opens": 540, "closes": 1020}
NIGHT = OFFICE | {"days": SUNDAYS, "opens": 0, "closes": 24 * 60}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# Clocks go forward in Madrid on 2026-03-29 at 02:00, back in New York on 2026-11-01 at 02:00 and by half an hour on
# Lord Howe Island on 2026-04-05 at 02:00; Dubai's never change.
@pytest.mark.parametrize(
    "zone, terms, opened, due",
    [
        ("Europe/Madrid", {}, "2026-03-28T12:00+01:00", "2026-03-29T13:00+02:00"),
        ("Europe/Madrid", {}, "2026-10-24T12:00+02:00", "2026-10-25T11:00+01:00"),
        ("America/New_York", {}, "2026-10-31T12:00-04:00", "2026-11-01T11:00-05:00"),
        ("Australia/Lord_Howe", {}, "2026-04-04T12:00+11:00", "2026-04-05T11:30+10:30"),
        ("Asia/Dubai", {}, "2026-03-28T12:00+04:00", "2026-03-29T12:00+04:00"),
        # The later of Madrid's repeated hour.
        ("Europe/Madrid", {}, "2026-10-25T02:30+01:00", "2026-10-26T02:30+01:00"),
        # Office hours are local before and after the change: Friday afternoon, and the rest on Monday morning.
        ("Europe/Madrid", OFFICE | {"hours": 4}, "2026-03-27T15:00+01:00", "2026-03-30T11:00+02:00"),
        ("America/New_York", OFFICE | {"hours": 4}, "2026-10-30T15:00-04:00", "2026-11-02T11:00-05:00"),
        ("Australia/Lord_Howe", OFFICE | {"hours": 4}, "2026-04-03T15:00+11:00", "2026-04-06T11:00+10:30"),
        # A 24-hour office: the night of the change has 23 or 25 hours, which all count.
        ("Europe/Madrid", NIGHT | {"hours": 24}, "2026-03-29T00:00+01:00", "2026-03-30T01:00+02:00"),
        ("America/New_York", NIGHT | {"hours": 24}, "2026-11-01T00:00-04:00", "2026-11-01T23:00-05:00"),
        ("Australia/Lord_Howe", NIGHT | {"hours": 24}, "2026-04-05T00:00+11:00", "2026-04-05T23:30+10:30"),
        # Created on a weekend, before opening, at closing; and over several days.
        ("Asia/Dubai", OFFICE | {"hours": 2}, "2026-03-28T12:00+04:00", "2026-03-30T11:00+04:00"),
        ("Asia/Dubai", OFFICE | {"hours": 8}, "2026-03-27T06:00+04:00", "2026-03-27T17:00+04:00"),
        ("Asia/Dubai", OFFICE | {"hours": 1}, "2026-03-27T17:00+04:00", "2026-03-30T10:00+04:00"),
        ("Asia/Dubai", OFFICE | {"hours": 24}, "2026-03-25T09:00+04:00", "2026-03-27T17:00+04:00"),
    ],
)
def test_a_deadline_counts_hours_that_pass(zone, terms, opened, due, acme):
    acme.timezone = zone
    found = deadline(utc(opened), FirstContactTerms(**terms))
    assert found == utc(due) and found.tzinfo is UTC


def test_a_lead_that_opens_has_a_deadline_and_one_that_is_imported_has_none(acme, machine):
    opened = make_contact()
    assert Lead.objects.get(contact=opened).contact_by == deadline(opened.created_at, FirstContactTerms())
    (imported,) = create([{"name": "Imported"}], by=machine.imports()).done
    assert Lead.objects.get(contact=imported).contact_by is None


def test_an_admin_agrees_on_other_hours_which_count_from_then_on(acme, cast, actor):
    before = Lead.objects.get(contact=make_contact()).contact_by
    agreed = {"hours": 8} | OFFICE
    for hours in (4, 8):
        set_first_contact_terms(**(agreed | {"hours": hours}), by=actor("admin"))
    assert FirstContactTerms.objects.get().hours == 8
    with clock.at(utc("2026-03-27T12:00+00:00")):
        assert Lead.objects.get(contact=make_contact()).contact_by == utc("2026-03-30T12:00+00:00")
    assert Lead.objects.order_by("pk").first().contact_by == before
    with pytest.raises(NotAllowed):
        set_first_contact_terms(**agreed, by=actor("manager"))


@pytest.mark.parametrize(
    "values, field",
    [({"hours": 0}, "hours"), ({"days": []}, "days"), ({"days": [7]}, "days"), ({"closes": 540}, "closes")],
)
def test_terms_that_make_no_sense_are_refused(values, field, acme, actor):
    with pytest.raises(Invalid) as refused:
        set_first_contact_terms(**({"hours": 24} | OFFICE | values), by=actor("admin"))
    assert refused.value.errors.keys() == {field}
