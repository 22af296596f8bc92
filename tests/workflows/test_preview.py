"""A preview equals what would have run: from the log, with past values, changing nothing."""

import random
from datetime import UTC, datetime, timedelta

import time_machine

from audit.models import Entry
from contacts.models import Contact
from contacts.moves import VERBS
from contacts.verbs.create import create
from crm.conditions.parse import parse
from crm.events.engine import drain
from crm.kit.actor import Channel
from crm.kit.scope import in_workspace
from crm.records.verbs.edit import edit
from crm.workflows.definition import checked
from crm.workflows.models import Run
from crm.workflows.preview import preview
from tests.factories import make_contact, make_field, rows
from tests.workflows.conftest import becomes, changes, make_flow, task

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
TITLES = ("CEO", "CFO", "Driver", "")
CASES = {
    "a transition": (becomes("qualified"), ""),
    "with a value of that moment": (becomes("qualified"), "title = CEO"),
    "with a custom field": (becomes("qualified"), "fleet_size >= 50"),
    "with an age of that moment": (becomes("lost"), "created_at < 20 days ago"),
    "with several": (becomes("customer"), "at least 2 of (title in (CEO, CFO), fleet_size >= 50, source = web)"),
    "a field": (changes("title"), "lifecycle_stage in (lead, qualified)"),
    "a custom field": (changes("custom.fleet_size"), "title is not empty"),
    "an event": ({"kind": "event", "entity": "contact", "event": "contact.created"}, "source = web"),
}


def play(by, after=lambda: None) -> None:
    """Simulate three months of a small company, identically each time."""
    chance, people = random.Random(7), []
    for day in range(88, 0, -1):
        with time_machine.travel(NOW - timedelta(days=day), tick=False):
            if day % 4 == 0:
                values = {"title": chance.choice(TITLES), "source": chance.choice(("web", "fair")), "owner": None}
                made = create([{"name": f"Person {day}", "fleet_size": chance.randint(0, 99)} | values], by=by())
                people.append(made.done[0])
                after()
            for _ in range(2 if people else 0):
                happen(chance, Contact.objects.filter(pk=chance.choice(people)), by())
                after()


def happen(chance, contact, by) -> None:
    """Perform one random user action on a contact."""
    do = chance.choice(("qualify", "win", "lose", "reopen", "churn", "title", "fleet"))
    if do in VERBS:
        VERBS[do](contact, by=by, reason="because")
    elif do == "title":
        edit(contact, {"title": chance.choice(TITLES)}, by=by)
    else:
        edit(contact, {"fleet_size": chance.randint(0, 99)}, by=by)


def previewed(trigger, condition, by):
    definition = checked(trigger, condition, [task()])
    return preview(definition, parse(definition.condition, "contact", people=False), by)


def test_what_it_says_is_what_runs_when_the_same_is_played_again(acme, actor, cast):
    make_field("fleet_size", "number")
    play(lambda: actor("manager"))
    with time_machine.travel(NOW, tick=False):
        said = {name: previewed(*case, actor("admin")).counts for name, case in CASES.items()}
    with in_workspace(cast.globex):
        make_field("fleet_size", "number")
        by = lambda: cast.globex_admin.actor(Channel.WEB)  # noqa: E731
        tell = {"kind": "notify", "who": "workflow_owner"}
        with time_machine.travel(NOW - timedelta(days=89), tick=False):
            flows = {name: make_flow(by(), trigger, tell, condition=text) for name, (trigger, text) in CASES.items()}
        play(by, after=drain)
        ran = {name: list(flow.runs.values_list("started_at", flat=True)) for name, flow in flows.items()}
    since = {days: NOW - timedelta(days=days) for days in (7, 30, 90)}
    assert said == {name: {days: sum(at > since[days] for at in ran[name]) for days in since} for name in CASES}
    assert all(counts[90] > 0 for counts in said.values())


def test_it_changes_nothing(acme, actor):
    contact = make_contact(title="CEO")
    VERBS["lose"](rows(contact), by=actor("manager"), reason="x")
    last, stamp = Entry.objects.latest("pk").pk, Contact.objects.get(pk=contact.pk).updated_at
    said = previewed(becomes("lost"), "title = CEO", actor("admin"))
    assert (said.now, said.counts[7]) == (1, 1)
    assert said.runs[0].record == contact
    assert said.runs[0].effects == [
        f"Create task “Follow up with {contact.name}” (high priority, assignee: Record owner)"
    ]
    assert Entry.objects.latest("pk").pk == last
    assert Contact.objects.get(pk=contact.pk).updated_at == stamp
    assert not Run.objects.exists()


def test_dates_and_schedules_are_counted_too(acme, actor):
    with time_machine.travel(NOW - timedelta(days=40), tick=False):
        make_contact(title="CEO")
    with time_machine.travel(NOW, tick=False):
        silent = {"kind": "date", "entity": "contact", "field": "last_activity", "days": 14}
        assert previewed(silent, "", actor("admin")).counts == {7: 0, 30: 1, 90: 1}
        weekly = {"kind": "schedule", "entity": "contact", "every": "0", "hour": "9"}
        assert previewed(weekly, "title = CEO", actor("admin")).counts == {7: 1, 30: 5, 90: 13}


def test_what_is_begun_by_hand_has_no_past(acme, actor):
    make_contact(title="CEO")
    said = previewed({"kind": "manual", "entity": "contact"}, "title = CEO", actor("admin"))
    assert (said.now, said.counts, said.runs) == (1, None, [])
