"""Converting a lead, and undoing it (source 003, Conversion Event; DESIGN 1.2)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from time_machine import travel

from audit.models import Entry
from audit.undo.undo import undo
from crm.kit import clock
from crm.kit.errors import Refused
from crm.lifecycle.models import Guard, Transition
from crm.lifecycle.verbs.save_guard import save_guard
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.move_stage import move_stage
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from leads.models import Lead
from leads.verbs.convert import convert
from tests.factories import make_company, make_contact, rows
from tests.leads.factories import make_lead, ready
from tests.threads import at_once

NOT_READY = "Lead must be Sales Qualified to convert"


def test_a_lead_becomes_an_opportunity(acme, cast, actor):
    lead = ready(company=make_company("Metro Taxi"), owner=cast.rep, source="Trade fair")
    edit(rows(lead), {"estimated_value": "1500.50", "currency": "USD"}, by=actor("rep"))
    stage = lead.contact.lifecycle_stage
    assert convert(rows(lead), by=actor("rep")).done == [lead.pk]
    lead.refresh_from_db()
    made = Opportunity.objects.get()
    assert (lead.status, lead.stage, lead.opportunity) == ("converted", "opportunity", made)
    assert lead.converted_date and made.lead == lead
    assert (made.name, made.stage, made.contact) == ("Metro Taxi, Trade fair", "qualification", lead.contact)
    assert (made.amount, made.currency, made.owner, made.source) == (
        Decimal("1500.50"), "USD", cast.rep, "Trade fair",
    )  # fmt: skip
    lead.contact.refresh_from_db()
    assert lead.contact.lifecycle_stage == stage
    entry = Entry.objects.get(event="lead.converted")
    assert (entry.action, entry.person, entry.new_values["opportunity"]) == ("CONVERT", lead.contact_id, made.pk)
    moves = Transition.objects.filter(entity="lead", verb="convert").order_by("axis")
    assert list(moves.values_list("axis", "from_value", "to_value")) == [
        ("stage", "sales_qualified", "opportunity"),
        ("status", "qualified", "converted"),
    ]


def test_what_it_is_called_without_a_company_or_a_source(acme, actor):
    lead = ready(name="Ana Ruiz")
    edit(rows(lead), {"description": "Forty vans\nin Oslo"}, by=actor("manager"))
    convert(rows(lead), by=actor("manager"), values={"amount": "7", "close_date": "2027-01-31"}).or_raise()
    made = Opportunity.objects.get()
    assert (made.name, made.amount, made.close_date) == ("Ana Ruiz, Forty vans in Oslo", 7, date(2027, 1, 31))


@pytest.mark.parametrize(
    "status, stage, sentence",
    [
        ("new", "top_of_funnel", NOT_READY),
        ("working", "marketing_qualified", NOT_READY),
        ("qualified", "marketing_qualified", NOT_READY),
        ("lost", "sales_qualified", "“Convert” isn’t available at Lost, only at Qualified."),
    ],
)
def test_only_from_sales_qualified(status, stage, sentence, acme, actor):
    lead = make_lead(status=status, stage=stage)
    assert convert(rows(lead), by=actor("manager")).refused == {lead.pk: sentence}
    assert not Opportunity.objects.exists()


def test_guards_of_the_workspace_count(acme, actor):
    guard = Guard(entity="lead", verb="convert", condition="fleet_size >= 10", message="Too small")
    save_guard(guard, by=actor("admin"))
    lead = ready()
    assert convert(rows(lead), by=actor("manager")).refused == {lead.pk: "Too small"}


def test_a_second_click_answers_with_the_same_opportunity(acme, actor):
    first, second = ready(), ready()
    convert(rows(first), by=actor("manager"))
    count = Entry.objects.count()
    assert convert(rows(first), by=actor("manager")).done == [first.pk]
    assert Entry.objects.count() == count
    assert convert(rows(first, second), by=actor("manager")).done == [first.pk, second.pk]
    assert Opportunity.objects.count() == 2


def test_not_without_the_contact(acme, cast, actor):
    lead = ready()
    delete(rows(lead.contact), by=actor("manager"), reason="x")
    assert "in the trash" in convert(rows(lead), by=actor("manager")).refused[lead.pk]
    hidden = ready(team=cast.nordics)
    Lead.objects.filter(pk=hidden.pk).update(owner=cast.rep)
    assert "someone else" in convert(rows(hidden), by=actor("rep")).refused[hidden.pk]


class TestUndo:
    """The only way a converted lead changes."""

    def test_a_manager_takes_it_back(self, acme, cast, actor):
        lead, by = ready(owner=cast.rep), actor("rep")
        convert(rows(lead), by=by)
        undo(by.change, by=actor("manager"))
        lead.refresh_from_db()
        assert (lead.status, lead.stage, lead.opportunity, lead.converted_date) == (
            "qualified", "sales_qualified", None, None,
        )  # fmt: skip
        assert not Opportunity.objects.exists()
        assert convert(rows(lead), by=actor("rep")).done == [lead.pk]

    def test_a_rep_does_not(self, acme, cast, actor):
        lead, by = ready(owner=cast.rep), actor("rep")
        convert(rows(lead), by=by)
        with pytest.raises(Refused, match="Only managers and admins can undo a conversion"):
            undo(by.change, by=actor("rep"))
        assert Lead.objects.get(pk=lead.pk).opportunity

    def test_not_after_something_has_happened(self, acme, actor):
        lead, by = ready(), actor("manager")
        convert(rows(lead), by=by)
        move_stage(Opportunity.objects.all(), to="proposal", by=actor("manager"))
        with pytest.raises(Refused, match="The opportunity has changed since the conversion"):
            undo(by.change, by=actor("manager"))
        assert Lead.objects.get(pk=lead.pk).status == "converted"
        assert Opportunity.objects.get().stage == "proposal"

    def test_of_many_those_whose_opportunity_was_left_alone(self, acme, actor):
        busy, idle, by = ready(), ready(), actor("manager")
        convert(rows(busy, idle), by=by)
        busy.refresh_from_db()
        move_stage(rows(busy.opportunity), to="proposal", by=actor("manager"))
        undone = undo(by.change, by=actor("manager"))
        assert ("lead", busy.pk, "The opportunity has changed since the conversion.") in undone.kept
        stand = dict(Lead.objects.values_list("pk", "status"))
        assert stand == {busy.pk: "converted", idle.pk: "qualified"}
        assert list(Opportunity.objects.all()) == [busy.opportunity]

    @pytest.mark.parametrize("days", [29, 31])
    def test_for_thirty_days(self, days, acme, actor):
        lead, by = ready(), actor("manager")
        convert(rows(lead), by=by)
        with travel(clock.now() + timedelta(days=days), tick=False):
            if days == 29:
                assert undo(by.change, by=actor("manager")).reverted
                return
            with pytest.raises(Refused, match="for 30 days"):
                undo(by.change, by=actor("manager"))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_eight_at_once_convert_each_of_twenty_leads_once(cast, acme, actor):
    leads = [ready() for _ in range(20)]

    def click():
        answers = []
        for lead in leads:
            assert convert(rows(lead), by=cast.manager.actor("web")).done == [lead.pk]
            answers.append((lead.pk, Lead.objects.get(pk=lead.pk).opportunity_id))
        return answers

    results, errors = at_once(acme, [click] * 8)
    assert not errors
    assert Opportunity.objects.count() == 20
    answers = [answer for result in results for answer in result]
    assert len(answers) == 160 and len(set(answers)) == 20
    assert Entry.objects.filter(event="lead.converted").count() == 20


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_bulk_conversions_of_the_same_leads_do_not_wait_for_each_other_crosswise(cast, acme, actor):
    leads = [make_lead(make_contact(), status="qualified", stage="sales_qualified") for _ in range(20)]
    results, errors = at_once(acme, [lambda: convert(rows(*leads), by=cast.manager.actor("web"))] * 8)
    assert not errors and [len(outcome.done) for outcome in results] == [20] * 8
    assert Opportunity.objects.count() == 20
