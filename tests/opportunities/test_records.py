"""Common record features of opportunities: edit, assign, delete, merge with contacts."""

from decimal import Decimal

import pytest

from audit.undo.undo import undo
from contacts.verbs.merge import merge
from crm.kit.errors import Conflict, Invalid
from crm.opportunities.models import Opportunity
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from tests.factories import make_contact, make_field, make_opportunity, rows
from tests.log import assert_entry


def test_an_edit_is_recorded_and_can_be_undone(acme, actor):
    make_field("vans", "number", entity="opportunity")
    deal, by = make_opportunity(amount="10", next_step="Call"), actor("rep")
    values = {
        "amount": "1500.5",
        "close_date": "2026-12-01",
        "next_step": "Send offer",
        "probability": "60%",
        "vans": "7",
    }
    edit(rows(deal), values, by=by)
    old = {"amount": "10.00", "close_date": None, "next_step": "Call", "probability": "0.1000", "custom.vans": None}
    new = {"amount": "1500.50", "close_date": "2026-12-01", "next_step": "Send offer", "probability": "0.6000"}
    assert_entry(
        by,
        deal,
        "opportunity.updated",
        "UPDATE",
        old=old,
        new=new | {"custom.vans": 7},
        person=deal.contact_id,
    )
    undo(by.change, by=actor("rep"))
    deal.refresh_from_db()
    assert (deal.amount, deal.close_date, deal.next_step, deal.custom) == (Decimal(10), None, "Call", {})


@pytest.mark.parametrize("field", ["name", "contact", "currency", "probability"])
def test_what_it_cannot_be_without_is_not_emptied(field, acme, actor):
    with pytest.raises(Invalid) as refused:
        edit(rows(make_opportunity()), {field: ""}, by=actor("rep"))
    assert list(refused.value.errors) == [field]


def test_two_edits_of_one_field_conflict(acme, actor):
    deal = make_opportunity(amount="10")
    edit(rows(deal), {"amount": "20"}, by=actor("mate"))
    with pytest.raises(Conflict):
        edit(rows(deal), {"amount": "30"}, by=actor("rep"), base={"amount": "10"})


def test_an_empty_amount_is_nothing_and_not_zero(acme, actor):
    deal, by = make_opportunity(), actor("rep")
    edit(rows(deal), {"amount": "5"}, by=by)
    assert_entry(
        by, deal, "opportunity.updated", "UPDATE", old={"amount": None}, new={"amount": "5.00"}, person=deal.contact_id
    )


def test_it_is_assigned_thrown_away_and_restored(acme, actor, cast):
    deal = make_opportunity(owner=cast.rep, external_id="7")
    assign(rows(deal), cast.mate, by=actor("rep"))
    delete(rows(deal), by=actor("manager"), reason="twice")
    assert not Opportunity.objects.live().exists()
    make_opportunity(external_id="7")
    refused = restore(rows(deal), by=actor("manager")).refused
    assert refused == {deal.pk: "Another record now uses this external ID."}


def test_merging_contacts_moves_their_opportunities_and_unmerging_moves_them_back(acme, actor):
    ana, twin = make_contact("Ana"), make_contact("A. Ruiz")
    deal, by = make_opportunity(contact=twin, stage="won"), actor("manager")
    merge(ana, rows(twin), by=by)
    deal.refresh_from_db()
    ana.refresh_from_db()
    assert (deal.contact, ana.lifecycle_stage) == (ana, "customer")
    undo(by.change, by=actor("manager"))
    deal.refresh_from_db()
    assert deal.contact == twin


def test_opening_one_can_be_undone_until_something_happens_to_it(acme, actor):
    by = actor("rep")
    deal = make_opportunity(by=by)
    undo(by.change, by=actor("manager"))
    assert not Opportunity.objects.filter(pk=deal.pk).exists()
