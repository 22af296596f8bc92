"""R11: a change starts a run, once; and other triggers."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.churn import churn
from contacts.verbs.qualify import qualify
from contacts.verbs.win import win
from crm.kit import clock
from crm.kit.errors import Refused
from crm.lists.spec import spec_of
from crm.opportunities.verbs.win import win as win_deal
from crm.records import panels
from crm.records.verbs.edit import edit
from crm.workflows.jobs import keep_time
from crm.workflows.models import Run
from crm.workflows.panels import runs_panel
from crm.workflows.triggers import entities
from crm.workflows.verbs.start_workflow import start_workflow
from crm.workflows.verbs.switch_workflow import switch_workflow
from leads.jobs import notice_overdue
from tests.factories import make_activity, make_contact, make_opportunity, make_worthy, rows
from tests.workflows.conftest import becomes, changes, set_field, task


def worthy(count: int = 1) -> list[Contact]:
    return [make_worthy(make_contact()) for _ in range(count)]


def test_a_transition_runs_it_once(flow, engine, actor):
    flow(becomes("qualified"), task())
    (contact,) = worthy()
    qualify(rows(contact), by=actor("manager")).or_raise()
    (run,) = engine()
    assert (run.status, run.record_id, run.event) == ("done", contact.pk, "contact.qualified")
    assert run.seen["new"]["lifecycle_stage"] == "qualified"
    assert contact.activities.get().subject == f"Follow up with {contact.name}"
    assert engine() == [run]


def test_saving_without_a_change_runs_nothing(flow, engine, actor):
    flow(changes("title"), task())
    contact = make_contact(title="CEO")
    edit(rows(contact), {"title": "CEO"}, by=actor("manager"))
    assert engine() == []
    edit(rows(contact), {"title": "CFO"}, by=actor("manager"))
    assert len(engine()) == 1


def test_a_bulk_move_of_a_hundred_runs_a_hundred(flow, engine, actor):
    flow(becomes("customer"), set_field("title", "Customer"))
    people = [make_contact(stage="qualified") for _ in range(100)]
    win(rows(*people), by=actor("manager"))
    runs = engine()
    assert sorted(run.record_id for run in runs) == sorted(person.pk for person in people)
    assert {run.status for run in runs} == {"done"}
    assert Contact.objects.filter(title="Customer").count() == 100


def test_only_records_that_meet_the_condition(flow, engine, actor):
    flow(becomes("customer"), task(), condition="title = CEO")
    people = [make_contact(stage="qualified", title=title) for title in ("CEO", "CFO")]
    win(rows(*people), by=actor("manager"))
    assert [run.record_id for run in engine()] == [people[0].pk]


def test_one_that_is_switched_off_hears_of_nothing(flow, engine, actor):
    workflow = flow(becomes("customer"), task())
    switch_workflow(workflow, False, by=actor("admin"))
    win(rows(make_contact(stage="qualified")), by=actor("manager"))
    assert engine() == []


def test_a_new_contact_becomes_a_lead(flow, engine):
    flow(becomes("lead"), task())
    make_contact()
    assert len(engine()) == 1


def test_an_event_of_something_else_is_about_its_contact(flow, engine):
    flow({"kind": "event", "entity": "contact", "event": "activity.logged"}, set_field("title", "Called"))
    contact = make_contact()
    make_activity(contact=contact)
    engine()
    contact.refresh_from_db()
    assert contact.title == "Called"


def test_a_deadline_that_passes(flow, engine):
    flow({"kind": "event", "entity": "lead", "event": "lead.overdue"}, task("Call {name}"))
    contact = make_contact()
    with clock.at(clock.now() + timedelta(days=2)):
        notice_overdue(clock.now())
    engine()
    assert contact.activities.get().subject == f"Call {contact.name}"


def test_days_without_activity_come_once_and_only_after_it_was_switched_on(flow, engine):
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    with time_machine.travel(now - timedelta(days=20), tick=False):
        make_contact("Silent before")
    with time_machine.travel(now - timedelta(days=13), tick=False):
        later = make_contact("Silent later")
    trigger = {"kind": "date", "entity": "contact", "field": "last_activity", "days": 14}
    with time_machine.travel(now, tick=False):
        flow(trigger, set_field("title", "Silent"))
        keep_time(now)
        assert engine() == []
    for hours in (25, 26):
        with time_machine.travel(now + timedelta(hours=hours), tick=False):
            keep_time(now)
            assert [run.record_id for run in engine()] == [later.pk]


def test_a_schedule_runs_for_each_record_once_a_slot(flow, engine):
    make_contact(title="CEO"), make_contact(title="CEO"), make_contact(title="CFO")
    trigger = {"kind": "schedule", "entity": "contact", "every": "daily", "hour": "9"}
    counts = []
    with time_machine.travel(datetime(2026, 11, 2, 8, tzinfo=UTC), tick=False) as now:
        flow(trigger, task(), condition="title = CEO")
        for hours in (0.5, 1, 1, 23, 1):
            now.shift(timedelta(hours=hours))
            keep_time(clock.now())
            counts.append(len(engine()))
    assert counts == [0, 2, 2, 4, 4]


def test_by_hand_on_what_one_may_change_and_the_condition_holds_for(flow, engine, actor, cast):
    workflow = flow({"kind": "manual", "entity": "contact"}, task(), condition="title = CEO")
    fits, differs = make_contact(title="CEO", owner=cast.rep), make_contact(owner=cast.rep)
    others = make_contact(title="CEO", owner=cast.manager)
    outcome = start_workflow(rows(fits, differs, others), workflow, by=actor("rep"))
    assert outcome.done == [fits.pk]
    assert "condition" in outcome.refused[differs.pk]
    assert "belongs to someone else" in outcome.refused[others.pk]
    assert [run.record_id for run in engine()] == [fits.pk]


def test_one_that_is_not_started_by_hand_is_not(flow, actor):
    workflow = flow(becomes("customer"), task())
    with pytest.raises(Refused, match="can’t be run manually"):
        start_workflow(rows(make_contact()), workflow, by=actor("admin"))


def test_an_opportunity_that_is_won(flow, engine, actor):
    flow(becomes("won", "stage", "opportunity"), task("Thank {contact}"))
    deal = make_opportunity()
    win_deal(rows(deal), by=actor("manager"))
    engine()
    assert deal.contact.activities.get().subject == f"Thank {deal.contact.name}"


def test_undoing_begins_nothing(flow, engine, actor):
    contact = make_contact(stage="customer")
    flow(becomes("customer"), task())
    by = actor("manager")
    churn(rows(contact), by=by, reason="x")
    undo(by.change, by=actor("manager"))
    assert engine() == []
    assert not Run.objects.exists()


def test_every_kind_of_record_can_be_started_on_from_its_page_and_its_list(db):
    for entity, _ in entities():
        assert "workflow" in {action.name for action in spec_of(entity).actions}, entity
        assert runs_panel in {getattr(each, "func", None) for each in panels._panels[entity]}, entity
