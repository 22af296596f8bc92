"""Leads' reactions to changes of their contacts (DESIGN 1.1 and 1.2)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Activity
from contacts.verbs.complete import complete
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.log import log
from contacts.verbs.lose import lose
from contacts.verbs.merge import merge
from contacts.verbs.override import override
from contacts.verbs.reopen import reopen
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.errors import Invalid, NotAllowed
from crm.opportunities.verbs.win import win
from crm.records.verbs.assign import assign
from leads.models import Lead
from leads.verbs.convert import convert
from leads.verbs.first_contact import first_contact
from leads.verbs.lose_leads import lose_leads as lose_lead
from tests.factories import make_activity, make_contact, manager, rows
from tests.leads.factories import make_lead, put, ready, score
from tests.threads import at_once


def test_a_lost_contact_loses_the_open_lead_for_the_same_reason(acme, actor):
    contacts = [make_contact(), make_contact()]
    by = actor("manager")
    lose(rows(*contacts), by=by, reason="No budget")
    for contact in contacts:
        lead = Lead.objects.get(contact=contact)
        contact.refresh_from_db()
        assert (lead.status, lead.lost_reason, lead.lost_date) == ("lost", "No budget", contact.lifecycle_stage_since)
    assert set(Entry.objects.filter(event="lead.lost").values_list("note", "change")) == {("No budget", by.change)}
    undo(by.change, by=actor("manager"))
    assert set(Lead.objects.values_list("status", "lost_reason", "lost_date")) == {("new", "", None)}


def test_other_moves_of_the_contact_leave_the_lead(acme, actor):
    contact = make_contact()
    for stage in ("lost", "customer", "partner", "churned"):
        override(rows(contact), to=stage, by=actor("manager"), reason="x")
        assert Lead.objects.get(contact=contact).status == "new"


def test_what_was_lost_before_stays_as_it_is(acme, actor):
    contact = make_contact()
    lead = make_lead(contact)
    lose_lead(rows(lead), by=actor("manager"), reason="Price")
    lose(rows(contact), by=actor("manager"), reason="No budget")
    lead.refresh_from_db()
    assert lead.lost_reason == "Price"


@pytest.mark.parametrize("kind", ["call", "email", "meeting"])
def test_a_conversation_is_the_first_contact(kind, acme, actor):
    contact = make_contact()
    activity = make_activity(kind=kind, contact=contact)
    lead = Lead.objects.get(contact=contact)
    assert (lead.status, lead.contacted_at) == ("working", activity.done_at)
    assert Entry.objects.get(event="lead.contacted").person == contact.pk
    make_activity(kind=kind, contact=contact)
    assert Lead.objects.get(contact=contact).contacted_at == activity.done_at


OWN = "ana@x.example"
FROM_LEAD = {"kind": "email", "sender": f"Ana <{OWN.upper()}>", "recipients": "rep@acme.example"}
TO_LEAD = {"kind": "email", "sender": "rep@acme.example", "recipients": f"Ana <{OWN}>"}


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({"kind": "call", "outcome": "connected"}, True),
        ({"kind": "call", "outcome": "left_voicemail"}, False),
        ({"kind": "call", "outcome": "no_answer"}, False),
        ({"kind": "call", "outcome": "busy"}, False),
        ({"kind": "call", "outcome": "wrong_number"}, False),
        ({"kind": "meeting"}, True),
        (TO_LEAD, True),
        ({"kind": "email"}, True),
        (TO_LEAD | {"recipients": "boss@acme.example"}, False),
        (FROM_LEAD, False),
        ({"kind": "note"}, False),
    ],
)
def test_only_a_conversation_with_a_person_is_the_first_contact(values, counts, acme, actor):
    contact = make_contact(email=OWN)
    log([{"subject": "S", "contact_id": contact.pk} | values], by=actor("rep"))
    lead = Lead.objects.get(contact=contact)
    assert (lead.contacted_at is not None, lead.status) == (counts, "working" if counts else "new")
    shows_interest = values.get("outcome") == "connected" or values["kind"] == "meeting" or values is FROM_LEAD
    assert contact.engagement.exists() == shows_interest


def test_what_a_workflow_sends_is_no_first_contact_but_the_reply_to_a_person_is(acme, actor):
    contact = make_contact(email=OWN)
    workflow = replace(actor("rep"), channel=Channel.WORKFLOW)
    facts = {"subject": "Welcome", "contact_id": contact.pk}
    log([facts | TO_LEAD], by=workflow)
    log([facts | FROM_LEAD], by=actor("rep"))
    assert Lead.objects.get(contact=contact).contacted_at is None
    lose(rows(contact), by=actor("manager"), reason="x")
    log([facts | TO_LEAD], by=actor("rep"))  # outside any cycle
    reopen(rows(contact), by=actor("manager"), reason="x")
    log([facts | FROM_LEAD], by=actor("rep"))
    assert Lead.objects.open().get(contact=contact).contacted_at


def test_a_call_that_is_corrected_counts_from_then_on(acme, actor):
    contact, at = make_contact(), clock.now() - timedelta(hours=2)
    call = make_activity(contact=contact, outcome="no_answer", occurred_at=at)
    assert not contact.engagement.exists()
    edit_activity(rows(call), {"outcome": "connected"}, by=actor("manager"))
    lead = Lead.objects.get(contact=contact)
    assert (lead.status, lead.contacted_at) == ("working", max(at, lead.created_at))
    assert list(contact.engagement.values_list("kind", "occurred_at")) == [("call_connected", at)]
    earlier = at - timedelta(days=3)
    edit_activity(rows(call), {"occurred_at": earlier}, by=actor("manager"))
    assert list(contact.engagement.values_list("kind", "occurred_at")) == [("call_connected", earlier)]
    edit_activity(rows(call), {"outcome": "busy"}, by=actor("manager"))
    assert not contact.engagement.exists()
    lead.refresh_from_db()
    assert (lead.status, lead.contacted_at) == ("working", None)


def test_a_first_contact_that_is_deleted_was_none_unless_another_was_made(acme, actor):
    contact = make_contact()
    first, second = make_activity(contact=contact), make_activity(contact=contact)
    delete_activity(rows(first), by=(gone := actor("manager")))
    lead = Lead.objects.get(contact=contact)
    assert lead.contacted_at == second.occurred_at
    delete_activity(rows(second), by=actor("manager"))
    lead.refresh_from_db()
    assert lead.contacted_at is None
    undo(gone.change, by=actor("manager"))
    assert not Activity.objects.get(pk=first.pk).deleted_at


def test_first_contacts_are_corrected_together(acme, actor):
    counts = []
    for count in (2, 20):
        contacts = [make_contact() for _ in range(count)]
        said = {"kind": "meeting", "subject": "Fair", "occurred_at": clock.now()}
        done = log([said | {"contact_id": contact.pk} for contact in contacts], by=actor("manager")).done
        assert Lead.objects.filter(contact__in=contacts, contacted_at=said["occurred_at"]).count() == count
        with CaptureQueriesContext(connection) as captured:
            delete_activity(Activity.objects.filter(pk__in=done), by=actor("manager"))
        assert not Lead.objects.filter(contact__in=contacts, contacted_at__isnull=False).exists()
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_click_for_a_first_contact_logs_a_call_and_a_workflow_makes_none(acme, actor):
    contact, by = make_contact(), actor("rep")
    leads = Lead.objects.filter(contact=contact)
    with pytest.raises(NotAllowed, match="Workflows can’t log a first contact"):
        first_contact(leads, by=replace(by, channel=Channel.WORKFLOW))
    assert first_contact(leads, by=by).done == [leads.get().pk]
    call = contact.activities.get()
    assert (call.kind, call.outcome, call.owner_id) == ("call", "connected", by.member_id)
    assert leads.get().contacted_at == call.occurred_at
    undo(by.change, by=actor("rep"))
    assert not contact.activities.exists()
    assert (leads.get().status, leads.get().contacted_at) == ("new", None)


@pytest.mark.parametrize("kind", ["note", "task"])
def test_notes_and_tasks_are_no_conversation(kind, acme):
    contact = make_contact()
    complete(rows(make_activity(kind=kind, contact=contact, status="pending")), by=manager())
    assert Lead.objects.get(contact=contact).status == "new"


def test_a_planned_call_counts_once_it_is_made(acme, actor):
    contact = make_contact()
    call = make_activity(kind="call", contact=contact, due_at=clock.now() + timedelta(days=1))
    assert Lead.objects.get(contact=contact).status == "new"
    with pytest.raises(Invalid, match="Choose the outcome of the call"):
        complete(rows(call), by=actor("manager"))
    complete(rows(call), by=actor("manager"), outcome="connected")
    assert Lead.objects.get(contact=contact).status == "working"


def test_of_a_lead_that_the_score_moved_only_the_contact_is_noted(acme):
    contact = make_contact()
    lead = make_lead(contact, status="working", stage="marketing_qualified")
    activity = make_activity(contact=contact)
    lead.refresh_from_db()
    assert (lead.status, lead.contacted_at) == ("working", activity.done_at)


def test_what_was_said_in_the_cycle_before_does_not_count(acme, actor):
    contact = make_contact()
    said = clock.now()
    lose(rows(contact), by=actor("manager"), reason="x")
    reopen(rows(contact), by=actor("manager"), reason="x")
    make_activity(contact=contact, occurred_at=said)
    assert Lead.objects.open().get(contact=contact).status == "new"
    make_activity(contact=contact)
    assert Lead.objects.open().get(contact=contact).status == "working"


def test_closed_leads_are_not_contacted(acme, actor):
    lead = ready()
    convert(rows(lead), by=actor("manager"))
    make_activity(contact=lead.contact)
    lead.refresh_from_db()
    assert lead.contacted_at is None


def test_the_team_follows_always_the_owner_where_it_was_the_same(acme, cast, actor):
    contact = make_contact(owner=cast.rep, team=cast.iberia)
    closed = make_lead(contact)
    lose_lead(rows(closed), by=actor("manager"))
    other = make_contact(owner=cast.rep, team=cast.iberia)
    mine, theirs = make_lead(other), make_contact(owner=cast.rep)
    Lead.objects.filter(contact=theirs).update(owner=cast.mate)
    by = actor("manager")
    assign(rows(contact, other, theirs), cast.outsider, by=by, team=cast.nordics)
    stand = {lead.contact_id: (lead.owner_id, lead.team_id) for lead in Lead.objects.all()}
    assert stand == {
        contact.pk: (cast.rep.pk, cast.nordics.pk),
        other.pk: (cast.outsider.pk, cast.nordics.pk),
        theirs.pk: (cast.mate.pk, cast.nordics.pk),
    }
    undo(by.change, by=actor("manager"))
    mine.refresh_from_db()
    assert (mine.owner, mine.team) == (cast.rep, cast.iberia)


def test_nobody_is_an_owner_too(acme, cast, actor):
    contact = make_contact(owner=None)
    assign(rows(contact), cast.rep, by=actor("manager"))
    assert Lead.objects.get(contact=contact).owner == cast.rep
    assign(rows(contact), None, by=actor("manager"), team=None)
    assert Lead.objects.get(contact=contact).owner is None


def test_an_opportunity_won_leaves_the_lead(acme, actor):
    lead = ready()
    convert(rows(lead), by=actor("manager"))
    lead.refresh_from_db()
    before = lead.version
    win(rows(lead.opportunity), by=actor("manager"))
    lead.refresh_from_db()
    assert (lead.status, lead.version) == ("converted", before)


class TestMerging:
    """Of two open leads the more advanced stays; all move to the survivor; undo restores them."""

    @pytest.mark.parametrize(
        "ours, theirs, kept",
        [
            (("working", "top_of_funnel", 0), ("new", "marketing_qualified", 690), "ours"),
            (("new", "top_of_funnel", 0), ("working", "top_of_funnel", 0), "theirs"),
            (("working", "top_of_funnel", 300), ("working", "marketing_qualified", 100), "theirs"),
            (("working", "top_of_funnel", 300), ("working", "top_of_funnel", 301), "theirs"),
            (("new", "top_of_funnel", 0), ("new", "top_of_funnel", 0), "ours"),
        ],
    )
    def test_the_further_one_stays(self, ours, theirs, kept, acme, cast, actor):
        people = [make_contact("Ana", team=cast.iberia), make_contact("Ana R")]
        leads = [make_lead(contact) for contact in people]
        for lead, (status, stage, tenths) in zip(leads, (ours, theirs), strict=True):
            put(lead, status, stage)
            score(lead, tenths)
        by = actor("manager")
        merge(people[0], rows(people[1]), by=by)
        stays, goes = leads if kept == "ours" else leads[::-1]
        for lead in leads:
            lead.refresh_from_db()
        assert stays.deleted_at is None and goes.deleted_at
        assert {lead.contact_id for lead in leads} == {people[0].pk}
        assert {lead.team for lead in leads} == {cast.iberia}
        further = people[leads.index(stays)]
        assert Entry.objects.get(event="lead.deleted").note == f"Merged. The lead of {further} was further along."
        undo(by.change, by=actor("manager"))
        for lead, contact in zip(leads, people, strict=True):
            lead.refresh_from_db()
            assert (lead.contact, lead.deleted_at, lead.team_id) == (contact, None, contact.team_id)

    def test_earlier_cycles_come_along(self, acme, actor):
        ana, twin = make_contact("Ana"), make_contact("Ana R")
        lead = ready(name="unused")
        Lead.objects.filter(contact=twin).update(contact=lead.contact, status="lost", lost_date=clock.now())
        Lead.objects.filter(pk=lead.pk).update(contact=twin)
        convert(rows(lead), by=actor("manager"))
        by = actor("manager")
        merge(ana, rows(twin), by=by)
        lead.refresh_from_db()
        assert (lead.contact, lead.status) == (ana, "converted")
        undo(by.change, by=actor("manager"))
        lead.refresh_from_db()
        assert lead.contact == twin


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_calls_logged_at_once_beside_other_moves_make_one_first_contact(cast, acme):
    people = [make_contact() for _ in range(10)]

    def call():
        for contact in people:
            make_activity(contact=contact, by=cast.manager.actor("web"))

    def assigned():
        for contact in people:
            assign(rows(contact), cast.rep, by=cast.manager.actor("web"))

    _, errors = at_once(acme, [call, call, call, call, assigned, assigned])
    assert not errors
    assert Entry.objects.filter(event="lead.contacted").count() == len(people)
    assert set(Lead.objects.values_list("status", "owner")) == {("working", cast.rep.pk)}
