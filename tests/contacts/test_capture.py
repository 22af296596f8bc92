from functools import partial

import pytest

from audit.models import Entry
from contacts.models import Contact
from contacts.verbs.capture import capture
from crm.kit.actor import Channel, system
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.scope import in_workspace
from crm.lifecycle.models import Transition
from crm.records.verbs.delete import delete
from tests.factories import make_contact, make_field, rows
from tests.log import assert_entry, assert_nothing_written, moves, written
from tests.threads import at_once

SPELLINGS = ("ana@metro.example", "ANA@Metro.example", "ana@METRO.example", "Ana@METRO.EXAMPLE")


def test_a_new_person_becomes_a_lead_of_whoever_captured_them(acme, cast, actor):
    by = actor("rep")
    outcome = capture([{"name": "Ana", "email": "ana@metro.example"}], by=by, source="Trade fair")
    contact = Contact.objects.get()
    assert outcome.done == [contact.pk]
    assert (contact.owner, contact.source, contact.lifecycle_stage) == (cast.rep, "Trade fair", "lead")
    new = {"name": "Ana", "email": "ana@metro.example", "source": "Trade fair", "owner": cast.rep.pk, "custom": {}}
    new |= {"lifecycle_stage": "lead", "status": "active"}
    assert_entry(by, contact, "contact.captured", "CREATE", old=None, new=new, note="Trade fair")
    assert [move[1:5] for move in moves(by)] == [
        ("lifecycle_stage", "", "lead", "capture"),
        ("status", "", "active", "capture"),
    ]


def test_a_form_captures_for_nobody(acme):
    capture([{"email": "ana@metro.example"}], by=system(acme.pk, Channel.API), source="Web form")
    contact = Contact.objects.get()
    assert (contact.name, contact.owner) == ("ana@metro.example", None)


def test_a_known_person_keeps_stage_and_values_and_blanks_are_filled(acme, actor):
    known = make_contact("Ana Ruiz", email="ana@metro.example", title="CFO", stage="customer")
    by = actor("rep")
    values = {"name": "A. Ruiz", "email": "ANA@metro.example", "title": "CEO", "phone": "+34 600"}
    assert capture([values], by=by, source="Webinar").done == [known.pk]
    known.refresh_from_db()
    assert (known.name, known.title, known.phone, known.source) == ("Ana Ruiz", "CFO", "+34 600", "Webinar")
    assert known.lifecycle_stage == "customer"
    old, new = {"phone": "", "source": ""}, {"phone": "+34 600", "source": "Webinar"}
    assert_entry(by, known, "contact.captured", "CREATE", old=old, new=new, note="Webinar")
    assert not moves(by)


def test_zero_and_no_are_values_and_not_blanks(acme, actor):
    make_field("fleet_size", "number")
    make_field("insured", "yes_no")
    known = make_contact(email="ana@metro.example", fleet_size="0", insured="no", source="x")
    capture([{"email": "ana@metro.example", "fleet_size": "9", "insured": "yes"}], by=actor("rep"), source="y")
    known.refresh_from_db()
    assert known.custom == {"fleet_size": 0, "insured": False}


def test_a_known_person_with_nothing_to_fill_is_still_noted(acme, actor):
    known = make_contact(email="ana@metro.example", source="Webinar")
    by = actor("rep")
    capture([{"email": "ana@metro.example"}], by=by, source="Chat")
    assert_entry(by, known, "contact.captured", "CREATE", old=None, new=None, note="Chat")


def test_somebody_elses_contact_is_found_but_not_filled(acme, cast, actor):
    known = make_contact(email="ana@metro.example", owner=cast.outsider, team=cast.nordics)
    by = actor("rep")
    outcome = capture([{"email": "ana@metro.example", "phone": "1"}], by=by, source="Chat")
    known.refresh_from_db()
    assert (outcome.done, known.phone) == ([known.pk], "")
    assert written(by) == [("contact.captured", known.pk, None, None)]


def test_many_at_once_and_the_same_person_twice(acme, actor):
    known = make_contact(email="known@metro.example")
    people = [
        {"name": "First Ana", "email": "ana@metro.example"},
        {"name": "Nameless"},
        {"email": "KNOWN@metro.example", "phone": "1"},
        {"name": "Second Ana", "email": "Ana@Metro.example", "title": "CFO"},
        {"name": "Nameless"},
    ]
    outcome = capture(people, by=actor("rep"), source="Scan")
    ana = Contact.objects.get(email_key="ana@metro.example")
    nameless = Contact.objects.filter(name="Nameless").order_by("pk").values_list("pk", flat=True)
    assert outcome.done == [ana.pk, nameless[0], known.pk, ana.pk, nameless[1]]
    assert (ana.name, ana.title) == ("First Ana", "CFO")


def test_somebody_in_the_trash_comes_anew(acme, actor):
    gone = make_contact(email="ana@metro.example")
    delete(rows(gone), by=actor("manager"), reason="asked to")
    assert capture([{"email": "ana@metro.example"}], by=actor("rep"), source="Chat").done != [gone.pk]


def test_bad_input_writes_nothing(acme, actor):
    by = actor("rep")
    with pytest.raises(Invalid, match="“x” isn’t a valid email address"):
        capture([{"name": "Good"}, {"email": "x"}], by=by, source="Scan")
    make_contact(external_id="77")
    with pytest.raises(Invalid) as error:
        capture([{"name": "Twin", "external_id": "77"}], by=by, source="Scan")
    assert error.value.errors == {"external_id": "A contact with this external ID already exists."}
    with pytest.raises(NotAllowed, match="Viewers can’t capture"):
        capture([{"name": "Ana"}], by=actor("viewer"), source="Scan")
    with pytest.raises(Invalid, match="Source can have up to 100 characters"):
        capture([{"name": "Ana"}], by=by, source="S" * 101)
    assert_nothing_written(by)
    assert Contact.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_captures_of_one_address_at_once_make_one_contact_twenty_times(cast):
    """R15: the unique index decides, and the loser finds the winner's contact."""
    for n in range(20):
        spellings = [_spelled(n, place) for place in range(8)]
        by = [system(cast.acme.pk, Channel.API) for _ in spellings]
        calls = [
            partial(capture, [{"name": f"Person {n}", "email": email}], by=who, source="Web form")
            for email, who in zip(spellings, by, strict=True)
        ]
        outcomes, errors = at_once(cast.acme, calls)
        assert errors == []
        assert len({pk for outcome in outcomes for pk in outcome.done}) == 1
    with in_workspace(cast.acme):
        assert Contact.objects.count() == 20
        assert Entry.objects.filter(event="contact.captured").count() == 160
        assert Transition.objects.filter(axis="lifecycle_stage").count() == 20


def _spelled(n: int, place: int) -> str:
    return f"{' ' * (place % 3)}{n}{SPELLINGS[place % 4]}{' ' * (place % 2)}"
