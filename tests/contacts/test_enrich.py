import pytest

from contacts.models import Contact
from contacts.verbs.enrich import enrich
from crm.kit.errors import Invalid
from tests.factories import make_contact, make_field, rows
from tests.log import assert_entry, assert_nothing_written, written


def test_blanks_are_filled_and_the_source_is_recorded(open_contact, actor):
    by = actor("rep")
    facts = {"title": "CFO", "linkedinUrl": "linkedin.com/in/ana", "name": "Somebody else", "phone": None}
    assert enrich(rows(open_contact), facts, by=by, source="Register").done == [open_contact.pk]
    old, new = {"title": "", "linkedin_url": ""}, {"title": "CFO", "linkedin_url": "https://linkedin.com/in/ana"}
    assert_entry(by, open_contact, "contact.enriched", "UPDATE", old=old, new=new, note="Register")
    assert Contact.objects.get().name == "Tomás Ortega"


def test_overwriting_is_asked_for(acme, actor):
    contact = make_contact(title="CFO")
    enrich(rows(contact), {"title": "CEO"}, by=actor("rep"), source="Register")
    assert Contact.objects.get().title == "CFO"
    enrich(rows(contact), {"title": "CEO"}, by=actor("rep"), source="Register", overwrite=True)
    assert Contact.objects.get().title == "CEO"


def test_each_of_many_gets_what_it_lacks(acme, actor):
    make_field("fleet_size", "number")
    full, half = make_contact(title="CFO", fleet_size="0"), make_contact(title="CFO")
    by = actor("rep")
    outcome = enrich(rows(full, half), {"title": "CEO", "fleet_size": "40"}, by=by, source="Register")
    assert outcome.done == [full.pk, half.pk]
    assert written(by) == [("contact.enriched", half.pk, {"custom.fleet_size": None}, {"custom.fleet_size": 40})]


@pytest.mark.parametrize("field", ["status", "owner", "team", "manager", "Reports to"])
def test_what_people_decide_comes_from_no_source(field, open_contact, actor):
    by = actor("manager")
    with pytest.raises(Invalid, match="can’t be set by enrichment"):
        enrich(rows(open_contact), {field: "bounced"}, by=by, source="Register", overwrite=True)
    assert_nothing_written(by)


def test_bad_facts_and_a_taken_address_write_nothing(acme, actor):
    make_contact(email="ana@x.example")
    contact, by = make_contact(email=""), actor("rep")
    with pytest.raises(Invalid, match="isn’t a valid email address"):
        enrich(rows(contact), {"email": "x"}, by=by, source="Register")
    with pytest.raises(Invalid, match="A record with this email already exists"):
        enrich(rows(contact), {"email": "ana@x.example"}, by=by, source="Register")
    assert_nothing_written(by)
