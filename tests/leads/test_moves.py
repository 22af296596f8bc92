"""Manual verbs of a lead (DESIGN 1.2)."""

from datetime import timedelta

import pytest

from audit.models import Entry
from audit.undo.undo import undo
from contacts.verbs.lose import lose as lose_contact
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.errors import Invalid, NotAllowed, Refused
from crm.lifecycle.models import Transition
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from leads.models import Lead
from leads.verbs.convert import convert
from leads.verbs.create_leads import create_leads
from leads.verbs.first_contact import first_contact
from leads.verbs.lose_leads import lose_leads
from leads.verbs.qualify import qualify
from leads.verbs.reactivate import reactivate
from tests.factories import make_contact, make_worthy, rows
from tests.leads.factories import make_lead, ready

BACKWARD = "Cannot move to previous or same stage"


def test_the_first_contact_moves_to_working(acme, actor):
    lead = make_lead()
    first_contact(rows(lead), by=actor("rep")).or_raise()
    lead.refresh_from_db()
    assert lead.status == "working" and lead.contacted_at
    assert first_contact(rows(lead), by=actor("rep")).refused == {lead.pk: "Already Working."}


def test_a_lead_that_its_score_moved_on_is_contacted_where_it_stands(acme, actor):
    lead = make_lead(status="qualified", stage="sales_qualified")
    assert first_contact(rows(lead), by=actor("rep")).done == [lead.pk]
    lead.refresh_from_db()
    assert lead.status == "qualified" and lead.contacted_at


@pytest.mark.parametrize("stage", ["top_of_funnel", "marketing_qualified", "sales_qualified"])
@pytest.mark.parametrize("to", ["marketing_qualified", "sales_qualified"])
def test_by_hand_only_forward(stage, to, acme, actor):
    status = {"top_of_funnel": "new", "marketing_qualified": "working", "sales_qualified": "qualified"}[stage]
    lead = make_lead(status=status, stage=stage)
    outcome = qualify(rows(lead), to=to, by=actor("rep"), reason="They called us")
    lead.refresh_from_db()
    order = ["top_of_funnel", "marketing_qualified", "sales_qualified"]
    if order.index(to) <= order.index(stage):
        assert outcome.refused == {lead.pk: BACKWARD} and lead.stage == stage
        return
    assert lead.stage == lead.floor_stage == to and lead.floor_reason == "They called us"
    assert timedelta(days=13, hours=23) < lead.floor_until - clock.now() <= timedelta(days=14)
    assert lead.status == {"marketing_qualified": "working", "sales_qualified": "qualified"}[to]
    assert bool(lead.qualified_date) == (to == "sales_qualified")
    assert lead.contact.lifecycle_stage == ("qualified" if to == "sales_qualified" else "lead")
    assert Entry.objects.get(event="lead.qualified").note == "They called us"


def test_by_hand_a_reason_is_needed_and_sales_qualified_is_the_most(acme, actor):
    lead = make_lead()
    with pytest.raises(Invalid, match="Enter a reason"):
        qualify(rows(lead), to="marketing_qualified", by=actor("rep"))
    for to in ("opportunity", "top_of_funnel", "x"):
        with pytest.raises(Invalid, match="Marketing Qualified, Sales Qualified"):
            qualify(rows(lead), to=to, by=actor("rep"), reason="x")
    lost = make_lead(status="lost")
    assert (
        "Reactivate the lead" in qualify(rows(lost), to="sales_qualified", by=actor("rep"), reason="x").refused[lost.pk]
    )


@pytest.mark.parametrize("status", ["new", "working", "qualified"])
def test_losing_keeps_the_lead(status, acme, actor):
    lead = make_lead(status=status)
    lose_leads(rows(lead), by=actor("rep"), reason=" No budget ").or_raise()
    lead.refresh_from_db()
    assert (lead.status, lead.lost_reason, lead.deleted_at) == ("lost", "No budget", None)
    assert lead.lost_date and lead.contact.lifecycle_stage == "lead"
    assert lose_leads(rows(lead), by=actor("rep")).refused


def test_a_lost_lead_is_taken_up_again_by_a_manager(acme, actor):
    contact = make_contact()
    lead = make_lead(contact)
    lose_contact(rows(contact), by=actor("manager"), reason="No budget")
    with pytest.raises(NotAllowed):
        reactivate(rows(lead), by=actor("rep"), reason="x")
    with pytest.raises(Invalid):
        reactivate(rows(lead), by=actor("manager"))
    reactivate(rows(lead), by=actor("manager"), reason="They called").or_raise()
    lead.refresh_from_db(), contact.refresh_from_db()
    assert (lead.status, lead.lost_date, lead.lost_reason) == ("working", None, "")
    assert contact.lifecycle_stage == "lead" and Lead.objects.count() == 1
    entry = Entry.objects.get(event="lead.reactivated")
    assert (entry.severity, entry.note) == ("warning", "They called")


def test_a_lead_taken_up_again_follows_its_score(acme, actor):
    lead = make_lead(make_worthy(make_contact()))
    edit(rows(lead), {"fleet_size": 250, "country": "DE"}, by=actor("manager"))
    lose_leads(rows(lead), by=actor("manager"))
    reactivate(rows(lead), by=actor("manager"), reason="They called").or_raise()
    lead.refresh_from_db()
    assert (lead.status, lead.stage) == ("qualified", "sales_qualified")


def test_not_beside_another_open_lead(acme, actor):
    contact = make_contact()
    first = make_lead(contact)
    lose_leads(rows(first), by=actor("rep"))
    [second] = create_leads([{"contact": contact}], by=actor("manager")).done
    refused = {first.pk: "This contact already has an open lead."}
    assert reactivate(rows(first), by=actor("manager"), reason="x").refused == refused
    lose_leads(Lead.objects.filter(pk=second), by=actor("rep"))
    both = reactivate(Lead.objects.filter(contact=contact), by=actor("manager"), reason="x")
    assert (both.done, list(both.refused)) == ([first.pk], [second])


def test_a_lead_comes_back_from_the_trash_unless_another_is_open(acme, actor):
    contact = make_contact()
    lead = make_lead(contact)
    with pytest.raises(Invalid):
        delete(rows(lead), by=actor("rep"), reason=" ")
    delete(rows(lead), by=actor("rep"), reason="twice").or_raise()
    assert Entry.objects.get(event="lead.deleted").note == "twice"
    create_leads([{"contact": contact}], by=actor("manager"))
    assert restore(rows(lead), by=actor("manager")).refused == {lead.pk: "This contact already has an open lead."}
    lose_leads(Lead.objects.open().filter(contact=contact), by=actor("manager"))
    assert restore(rows(lead), by=actor("manager")).done == [lead.pk]


def test_undoing_the_deletion_beside_another_open_lead_is_refused(acme, actor):
    contact, by = make_contact(), actor("manager")
    delete(rows(make_lead(contact)), by=by, reason="twice")
    create_leads([{"contact": contact}], by=actor("manager"))
    with pytest.raises(Refused, match="now uses this"):
        undo(by.change, by=actor("manager"))


def test_fields_and_owner_change_like_those_of_any_record(acme, cast, actor):
    lead = make_lead()
    edit(rows(lead), {"fleet_size": "120", "country": "ae", "source": "Trade fair"}, by=actor("manager")).or_raise()
    assign(rows(lead), cast.rep, by=actor("manager")).or_raise()
    lead.refresh_from_db()
    assert (lead.fleet_size, lead.country, lead.owner_id) == (120, "AE", cast.rep.pk)
    assert "trade fair" in lead.search_text
    with pytest.raises(Invalid):
        edit(rows(lead), {"stage": "opportunity"}, by=actor("manager"))


def test_a_converted_lead_changes_in_no_way(acme, cast, actor):
    lead = ready()
    changed = actor("manager")
    edit(rows(lead), {"campaign": "Spring"}, by=changed)
    convert(rows(lead), by=actor("manager")).or_raise()
    final = {lead.pk: "Converted leads are read-only."}
    for outcome in (
        edit(rows(lead), {"fleet_size": "120"}, by=actor("admin")),
        assign(rows(lead), cast.rep, by=actor("admin")),
        delete(rows(lead), by=actor("admin"), reason="x"),
        lose_leads(rows(lead), by=actor("admin")),
        first_contact(rows(lead), by=actor("admin")),
        reactivate(rows(lead), by=actor("admin"), reason="x"),
    ):
        assert outcome.refused == final
    assert qualify(rows(lead), to="sales_qualified", by=actor("admin"), reason="x").refused
    with pytest.raises(Refused, match="are read-only"):
        undo(changed.change, by=actor("admin"))
    lead.refresh_from_db()
    assert (lead.status, lead.campaign) == ("converted", "Spring")


def test_who_may_see_but_not_change_is_refused(acme, cast, actor):
    lead = make_lead(make_contact(owner=cast.mate))
    for outcome in (
        first_contact(rows(lead), by=actor("outsider")),
        lose_leads(rows(lead), by=actor("outsider")),
        qualify(rows(lead), to="sales_qualified", by=actor("outsider"), reason="x"),
    ):
        assert "belongs to someone else" in outcome.refused[lead.pk]
    with pytest.raises(NotAllowed):
        first_contact(rows(lead), by=actor("viewer"))


def test_a_new_lead_is_for_prospects_without_one(acme, actor):
    contact = make_contact()
    with pytest.raises(Invalid, match="already has an open lead"):
        create_leads([{"contact": contact}], by=actor("manager"))
    lose_leads(rows(make_lead(contact)), by=actor("manager"))
    with pytest.raises(Invalid, match="only one open lead"):
        create_leads([{"contact": contact}, {"contact": contact.pk}], by=actor("manager"))
    made = create_leads([{"contact": contact, "fleet_size": "50", "source": "Call"}], by=actor("manager"))
    lead = Lead.objects.get(pk=made.done[0])
    assert (lead.contact, lead.fleet_size, lead.status, lead.source) == (contact, 50, "new", "Call")
    with pytest.raises(Invalid, match="must be at Lead or Qualified"):
        create_leads([{"contact": make_contact(stage="customer")}], by=actor("manager"))
    with pytest.raises(Invalid, match="Choose a contact you can edit"):
        create_leads([{}], by=actor("manager"))
    with pytest.raises(NotAllowed):
        create_leads([{"contact": contact}], by=actor("viewer"))


def test_the_first_transition_is_the_opening(acme):
    lead = make_lead()
    moves = Transition.objects.filter(entity="lead", record_id=lead.pk).order_by("axis")
    assert list(moves.values_list("axis", "from_value", "to_value")) == [
        ("stage", "", "top_of_funnel"),
        ("status", "", "new"),
    ]


@pytest.mark.parametrize(
    "former, now",
    [
        ("Qualified is not empty", "Qualified date is not empty"),
        ("Converted is empty", "Converted date is empty"),
        ("Won is empty", "Won date is empty"),
        ("Lost is empty", "Lost date is empty"),
        ("In status since < today", "Status since < today"),
        ("In stage since < today", "Qualification stage since < today"),
        ("any Stage moves (From = Top of Funnel)", "any Qualification stage changes (From = Top of Funnel)"),
        ("any Stage changes (Action = Score)", "any Qualification stage changes (Action = Rescore)"),
    ],
)
def test_conditions_know_the_former_labels(former, now, acme):
    assert parse(former, "lead").key_text == parse(now, "lead").key_text
