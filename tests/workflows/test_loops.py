"""R10: no workflow loops forever, whatever admins build; each prevention is logged once."""

import time

import pytest

from crm.events.models import Delivery
from crm.notifications.models import Notification
from crm.opportunities.models import Opportunity
from crm.records.verbs.edit import edit
from crm.workflows.models import Run
from crm.workflows.start_runs import BUDGET, DEEPEST, OFTEN
from tests.factories import make_contact, make_opportunity, rows
from tests.workflows.conftest import changes, set_field


@pytest.fixture
def ended(engine):
    """`ended()` runs the engine for at most five seconds of its time; returns (runs, prevented ones)."""

    def counted():
        started = time.process_time()
        runs = engine()
        assert time.process_time() - started < 5
        assert not Delivery.objects.undone().exists()
        skipped = [run for run in runs if run.status == "skipped"]
        return [run for run in runs if run not in skipped], skipped

    return counted


def test_one_that_triggers_itself_runs_once(flow, ended, actor):
    flow(changes("title"), set_field("title", "{title} again"))
    contact = make_contact()
    edit(rows(contact), {"title": "CEO"}, by=actor("manager"))
    ran, skipped = ended()
    contact.refresh_from_db()
    assert (len(ran), len(skipped), contact.title) == (1, 1, "CEO again")
    assert skipped[0].reason.startswith("Loop prevented")
    assert skipped[0].cause == ran[0]


def test_two_that_undo_each_other_run_once_each(flow, ended, actor):
    flow(changes("title"), set_field("title", "one"), name="A")
    flow(changes("title"), set_field("title", "two"), name="B")
    contact = make_contact()
    edit(rows(contact), {"title": "CEO"}, by=actor("manager"))
    ran, skipped = ended()
    assert sorted(run.workflow.name for run in ran) == ["A", "B"]
    assert {run.reason.partition(":")[0] for run in skipped} == {"Loop prevented"}
    assert len({(run.workflow_id, run.key) for run in skipped}) == len(skipped) == 4


def test_a_cycle_of_three_ends_where_it_began(flow, ended, actor):
    ways = [("title", "department"), ("department", "source"), ("source", "title")]
    for number, (one, other) in enumerate(ways):
        flow(changes(one), set_field(other, f"set by {one}"), name=f"{number}")
    edit(rows(make_contact()), {"title": "CEO"}, by=actor("manager"))
    ran, skipped = ended()
    assert [run.workflow.name for run in ran] == ["0", "1", "2"]
    assert [run.depth for run in ran] == [0, 1, 2]
    assert [(run.workflow.name, run.depth) for run in skipped] == [("0", 3)]


def test_what_makes_the_like_of_itself_stops_at_the_deepest(flow, ended):
    again = {"kind": "opportunity", "name": "{name}+", "stage": "prospecting", "who": "workflow_owner"}
    flow({"kind": "event", "entity": "opportunity", "event": "opportunity.created"}, again)
    make_opportunity("Deal")
    ran, skipped = ended()
    assert [run.depth for run in ran] == list(range(DEEPEST + 1))
    assert len(skipped) == 1
    assert "had triggered one another" in skipped[0].reason
    assert Opportunity.objects.count() == DEEPEST + 2


def test_what_multiplies_stops_at_the_budget(flow, ended):
    again = {"kind": "opportunity", "name": "{name}+", "stage": "prospecting", "who": "workflow_owner"}
    flow({"kind": "event", "entity": "opportunity", "event": "opportunity.created"}, again, again)
    make_opportunity("Deal")
    ran, skipped = ended()
    assert len(ran) == BUDGET
    assert {run.reason for run in skipped} == {f"Loop prevented: one change had triggered {BUDGET} runs."}


def test_one_that_runs_on_a_record_too_often_is_paused_and_its_owner_told(flow, ended, actor, cast):
    workflow, contact = flow(changes("title"), set_field("department", "{title}")), make_contact()
    for number in range(OFTEN + 2):
        edit(rows(contact), {"title": f"{number}"}, by=actor("manager"))
        ran, skipped = ended()
    workflow.refresh_from_db()
    assert not workflow.enabled
    assert "more than 16 times" in workflow.paused_because
    assert (len(ran), len(skipped)) == (OFTEN, 1)
    assert Notification.objects.get(kind="workflow_paused").recipient == cast.admin


def test_a_chain_is_counted_for_each_record_apart(flow, ended, actor):
    flow(changes("title"), set_field("department", "x"), name="A")
    flow(changes("department"), set_field("source", "x"), name="B")
    people = [make_contact() for _ in range(25)]
    edit(rows(*people), {"title": "CEO"}, by=actor("manager"))
    ran, skipped = ended()
    assert (len(ran), len(skipped)) == (50, 0)
    assert Run.objects.values("root").distinct().count() == 25
