from datetime import UTC, datetime

import pytest

from contacts.models import Company, Contact
from contacts.verbs.merge import merge
from crm.kit import clock
from crm.kit.errors import Invalid
from crm.records.verbs.delete import delete
from crm.records.verbs.restore import restore
from tests.factories import make_company, make_contact, rows
from tests.log import assert_entry, assert_nothing_written, written

MOMENT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_the_reason_is_kept_and_the_record_waits_in_the_trash(open_contact, actor):
    by = actor("rep")
    with clock.at(MOMENT):
        assert delete(rows(open_contact), by=by, reason="asked to").done == [open_contact.pk]
    assert Contact.objects.get().deleted_at == MOMENT
    assert not Contact.objects.live().exists()
    old, new = {"deleted_at": None}, {"deleted_at": "2026-03-01T09:30:00+00:00"}
    assert_entry(by, open_contact, "contact.deleted", "DELETE", old=old, new=new, note="asked to")


def test_without_a_reason_nothing_is_deleted(open_contact, actor):
    by = actor("manager")
    with pytest.raises(Invalid) as error:
        delete(rows(open_contact), by=by, reason="  ")
    assert error.value.errors == {"reason": "Enter a reason."}
    assert_nothing_written(by)


def test_restored_it_is_as_it_was(open_contact, actor):
    before = Contact.objects.filter(pk=open_contact.pk).values().get()
    with clock.at(MOMENT):
        delete(rows(open_contact), by=actor("rep"), reason="twice")
    by = actor("rep")
    assert restore(rows(open_contact), by=by).done == [open_contact.pk]
    after = Contact.objects.filter(pk=open_contact.pk).values().get()
    assert {key for key in after if after[key] != before[key]} == {"version", "updated_at"}
    old, new = {"deleted_at": "2026-03-01T09:30:00+00:00"}, {"deleted_at": None}
    assert_entry(by, open_contact, "contact.restored", "RESTORE", old=old, new=new)


def test_many_at_once(acme, actor):
    people = [make_contact() for _ in range(3)]
    delete(rows(*people), by=actor("rep"), reason="test data")
    by = actor("rep")
    assert restore(rows(*people), by=by).done == [person.pk for person in people]
    assert len(written(by)) == 3


@pytest.mark.parametrize("field, label", [("email", "email"), ("external_id", "external ID")])
def test_what_another_record_uses_now_stays_in_the_trash(field, label, acme, actor):
    gone = make_contact(**{field: "ana@x.example"})
    delete(rows(gone), by=actor("manager"), reason="left")
    make_contact(**{field: "ana@x.example"})
    by = actor("manager")
    assert restore(rows(gone), by=by).refused == {gone.pk: f"Another record now uses this {label}."}
    assert_nothing_written(by)


def test_of_two_with_one_address_the_first_comes_back(acme, actor):
    first = make_contact(email="ana@x.example")
    delete(rows(first), by=actor("manager"), reason="left")
    second = make_contact(email="ANA@x.example")
    delete(rows(second), by=actor("manager"), reason="left")
    outcome = restore(rows(first, second), by=actor("manager"))
    assert (outcome.done, outcome.refused) == ([first.pk], {second.pk: "Another record now uses this email."})


def test_who_was_merged_is_unmerged_instead(acme, actor):
    survivor, duplicate = make_contact(), make_contact()
    merge(survivor, rows(duplicate), by=actor("manager"))
    by = actor("manager")
    sentence = "This contact was merged into another one. Unmerge it instead."
    assert restore(rows(duplicate), by=by).refused == {duplicate.pk: sentence}
    assert_nothing_written(by)


def test_companies_go_and_come_back_with_their_people(acme, actor):
    company = make_company(external_id="9")
    contact = make_contact(company=company)
    by = actor("manager")
    delete(rows(company), by=by, reason="closed")
    assert [event for event, *_ in written(by)] == ["company.deleted"]
    assert Contact.objects.get(pk=contact.pk).company == company
    assert restore(rows(company), by=actor("manager")).done == [company.pk]
    assert Company.objects.live().get() == company
