"""A run's steps: through verbs, as its owner, with explanations (R12)."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail

from audit.models import Entry
from contacts.models import Activity, Contact
from contacts.verbs.set_status import set_status
from contacts.verbs.win import win
from crm.anomalies.jobs import find_anomalies
from crm.anomalies.models import Finding
from crm.events.models import Delivery
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.errors import Invalid, NotAllowed, Refused
from crm.lifecycle.guards import install_shipped
from crm.notifications.lines import lines
from crm.notifications.models import Notification
from crm.opportunities.models import Opportunity
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.users.verbs.deactivate_member import deactivate_member
from crm.workflows.jobs import keep_time
from crm.workflows.models import Run, Workflow
from crm.workflows.shipped import SHIPPED
from crm.workflows.verbs.cancel_run import cancel_run
from crm.workflows.verbs.retry_run import retry_run
from crm.workflows.verbs.save_workflow import save_workflow
from tests.factories import make_contact, rows
from tests.workflows.conftest import becomes, make_flow, set_field, task

WON = becomes("customer")
MAIL = {"kind": "mail", "to": "record", "subject": "Welcome, {first_name}", "body": "From {owner}: {company.name}."}


@pytest.fixture
def won(actor):
    """`won(name, …)` returns a newly won contact."""

    def made(name="Ana Ruiz", **values) -> Contact:
        contact = make_contact(name, stage="qualified", **values)
        win(rows(contact), by=actor("manager")).or_raise()
        return contact

    return made


def steps_of(run: Run) -> list[tuple]:
    return [(step.kind, step.status, step.decided or step.error) for step in run.steps.all()]


def test_every_step_acts_as_the_owner_and_is_in_the_log(flow, engine, won, cast):
    flow(WON, set_field("title", "Customer"), owner=cast.rep)
    contact = won(owner=cast.rep)
    (run,) = engine()
    (step,) = run.steps.all()
    entry = Entry.objects.get(change=step.change)
    assert (entry.member_id, entry.channel, entry.event) == (cast.rep.pk, "workflow", "contact.updated")
    assert (step.decided, step.attempts) == ("Set Title to “Customer”", 1)
    assert entry.entity_id == contact.pk


def test_it_may_do_what_its_owner_may_and_no_more(flow, engine, won, cast):
    flow(WON, set_field("title", "Customer"), owner=cast.rep)
    contact = won(owner=cast.manager, team=cast.nordics)
    (run,) = engine()
    contact.refresh_from_db()
    assert (run.status, contact.title) == ("refused", "")
    assert "can no longer see it" in run.reason
    seen = won(owner=cast.manager)
    assert "belongs to someone else" in engine()[-1].reason
    assert not Entry.objects.filter(channel="workflow", entity_id=seen.pk).exists()


def test_a_guard_holds_and_its_sentence_is_the_reason(flow, engine, actor):
    install_shipped()
    flow({"kind": "field", "entity": "contact", "field": "title"}, {"kind": "verb", "verb": "qualify", "reason": ""})
    edit(rows(make_contact(email="")), {"title": "CEO"}, by=actor("manager"))
    (run,) = engine()
    assert (run.status, run.reason) == ("refused", "Email required for qualification")
    assert steps_of(run) == [("verb", "refused", "Email required for qualification")]


def test_a_branch_takes_one_of_its_ways(flow, engine, won):
    ways = [{"kind": "branch", "condition": "title = CEO"}, set_field("source", "a"), {"kind": "otherwise"}]
    flow(WON, *ways, set_field("source", "b"), {"kind": "end"}, set_field("department", "both"))
    people = [won(title=title) for title in ("CEO", "CFO")]
    engine()
    for contact, source in zip(people, "ab", strict=True):
        contact.refresh_from_db()
        assert (contact.source, contact.department) == (source, "both")


def test_branches_inside_one_another(flow, engine, won):
    inner = [{"kind": "branch", "condition": "source = web"}, set_field("notes", "inner"), {"kind": "end"}]
    outer = [{"kind": "branch", "condition": "title = CEO"}, *inner, {"kind": "otherwise"}, set_field("notes", "outer")]
    flow(WON, *outer, {"kind": "end"}, set_field("department", "end"))
    people = [won(title=title, source=source) for title, source in (("CEO", "web"), ("CEO", ""), ("CFO", "web"))]
    engine()
    assert [Contact.objects.get(pk=p.pk).notes for p in people] == ["inner", "", "outer"]
    assert set(Contact.objects.filter(pk__in=[p.pk for p in people]).values_list("department", flat=True)) == {"end"}


def test_a_wait_ends_after_its_time(flow, engine, won):
    flow(WON, {"kind": "wait", "amount": "2", "unit": "days"}, set_field("title", "Later"))
    contact = won()
    (run,) = engine()
    assert (run.status, run.position, run.steps.get().decided) == ("waiting", 0, "Waiting 2 days")
    for days, title in ((1, ""), (2.1, "Later")):
        with time_machine.travel(run.started_at + timedelta(days=days), tick=False):
            keep_time(clock.now())
            (now,) = engine()
        contact.refresh_from_db()
        assert contact.title == title
    assert now.status == "done"


@pytest.mark.parametrize(("late", "notes"), [("go_on", "on"), ("stop", "")])
def test_a_wait_for_a_condition(flow, engine, won, actor, late, notes):
    wait = {"kind": "wait_for", "condition": "title = CEO", "days": "3", "late": late}
    flow(WON, wait, set_field("notes", "on"))
    quick, slow = won(), won()
    edit(rows(quick), {"title": "CEO"}, by=actor("manager"))
    first = won(title="CEO")
    engine()
    keep_time(clock.now())
    runs = engine()
    assert [run.status for run in runs] == ["done", "waiting", "done"]
    with time_machine.travel(clock.now() + timedelta(days=4), tick=False):
        keep_time(clock.now())
        runs = engine()
    assert [run.status for run in runs] == ["done"] * 3
    assert [Contact.objects.get(pk=c.pk).notes for c in (quick, slow, first)] == ["on", notes, "on"]
    assert "not met within 3 days" in steps_of(runs[1])[0][2]


def test_a_wait_until_a_date(flow, engine, won):
    flow(WON, {"kind": "wait_until", "field": "created_at", "days": "5"}, set_field("title", "Later"))
    won()
    (run,) = engine()
    assert run.resume_at is not None
    assert timedelta(days=4.9) < run.resume_at - run.started_at < timedelta(days=5.1)


def test_a_run_ends_by_the_version_that_it_began_with(flow, engine, won, actor, cast):
    workflow = flow(WON, {"kind": "wait", "amount": "1", "unit": "days"}, set_field("title", "old"))
    contact = won()
    engine()
    facts = {"name": "Flow", "owner": cast.admin.pk, "trigger": WON, "condition": ""}
    save_workflow(workflow, steps=[set_field("title", "new")], by=actor("admin"), **facts)
    other = won()
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        keep_time(clock.now())
        engine()
    assert [Contact.objects.get(pk=c.pk).title for c in (contact, other)] == ["old", "new"]


def test_a_mail_reaches_the_contact_once_and_stands_in_their_timeline(flow, engine, won, cast):
    flow(WON, MAIL, task())
    contact = won(first_name="Ana", owner=cast.rep)
    (run,) = engine()
    (letter,) = mail.outbox
    assert (letter.subject, letter.body, letter.to) == ("Welcome, Ana", "From Rep: .", [contact.email])
    assert letter.extra_headers["Message-ID"].startswith(f"<{run.public_id}-0@")
    assert {activity.kind for activity in contact.activities.all()} == {"email", "task"}
    assert [status for _, status, _ in steps_of(run)] == ["done", "done"]


@pytest.mark.parametrize("status", ["bounced", "unsubscribed"])
def test_nobody_is_written_to_who_must_not_be(flow, engine, won, actor, status):
    flow(WON, MAIL)
    contact = make_contact("Ana Ruiz", stage="qualified")
    set_status(rows(contact), status, by=actor("manager"))
    win(rows(contact), by=actor("manager"))
    (run,) = engine()
    assert run.status == "refused"
    assert status in run.reason.lower()
    assert not mail.outbox


def test_a_mail_server_that_is_down_is_tried_again_and_then_is_an_exception(flow, engine, won, settings, actor):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    flow(WON, MAIL, task())
    contact = won()
    for _ in range(9):
        (run,) = engine()
        assert run.status == "outward"
        Delivery.objects.undone().update(due_at=clock.now())
    (run,) = engine()
    (step,) = run.steps.all()
    assert (run.status, step.attempts) == ("failed", 10)
    find_anomalies(clock.now())
    assert Finding.objects.get(kind="workflow_failed").owner == run.owner
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    retry_run(run.pk, by=actor("admin"))
    (run,) = engine()
    assert (run.status, len(mail.outbox)) == ("done", 1)
    assert contact.activities.filter(kind="task").exists()
    find_anomalies(clock.now())
    assert not Finding.objects.filter(kind="workflow_failed").exists()


def test_trying_again_follows_the_mended_workflow(flow, engine, won, actor, cast):
    workflow = flow(WON, set_field("title", "one"), {"kind": "assign", "who": f"member_{cast.mate.pk}"}, task())
    deactivate_member(cast.mate, by=actor("admin"))
    contact = won()
    (run,) = engine()
    assert (run.status, run.position) == ("failed", 1)
    assert "this user is no longer active" in run.reason
    steps = [set_field("title", "one"), {"kind": "assign", "who": f"member_{cast.rep.pk}"}, task("Mended")]
    save_workflow(workflow, name="Flow", owner=cast.admin.pk, trigger=WON, condition="", steps=steps, by=actor("admin"))
    retry_run(run.pk, by=actor("admin"))
    (run,) = engine()
    contact.refresh_from_db()
    assert (run.status, contact.owner_id) == ("done", cast.rep.pk)
    assert contact.activities.get().subject == "Mended"
    assert [step.attempts for step in run.steps.all()] == [1, 2, 1]


def test_a_run_that_waits_can_be_cancelled_and_then_does_nothing(flow, engine, won, actor):
    flow(WON, {"kind": "wait", "amount": "1", "unit": "days"}, task())
    contact = won()
    (run,) = engine()
    assert run.steps.get().decided == "Waiting 1 day"
    with pytest.raises(NotAllowed):
        cancel_run(run.pk, by=actor("manager"))
    cancel_run(run.pk, by=actor("admin"))
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        keep_time(clock.now())
        (run,) = engine()
    assert run.status == "cancelled"
    assert not contact.activities.exists()
    with pytest.raises(Refused):
        cancel_run(run.pk, by=actor("admin"))
    with pytest.raises(Refused):
        retry_run(run.pk, by=actor("admin"))


def test_one_in_the_trash_is_left_alone(flow, engine, won, actor):
    flow(WON, {"kind": "wait", "amount": "1", "unit": "days"}, task())
    contact = won()
    engine()
    delete(rows(contact), by=actor("manager"), reason="x")
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        keep_time(clock.now())
        (run,) = engine()
    assert run.status == "refused"
    assert "trash" in run.reason


def test_an_owner_who_left_is_said_to_have(flow, engine, won, actor, cast):
    flow(WON, task(), owner=cast.mate)
    deactivate_member(cast.mate, by=actor("admin"))
    won()
    (run,) = engine()
    assert run.status == "failed"
    assert "is no longer active" in run.reason


def test_somebody_is_notified_also_of_their_own_workflow(flow, engine, won, cast):
    flow(WON, {"kind": "notify", "who": "workflow_owner"}, {"kind": "notify", "who": "managers"})
    won()
    engine()
    told = Notification.objects.filter(kind="workflow").values_list("recipient", flat=True)
    assert sorted(told) == sorted([cast.admin.pk, cast.admin.pk, cast.manager.pk])


def test_a_notification_says_what_the_author_wrote(flow, engine, won, cast):
    flow(WON, {"kind": "notify", "who": "workflow_owner", "text": "Send the welcome box."})
    won("Bob Rivera")
    engine()
    (line,) = lines(Notification.objects.filter(kind="workflow"), cast.admin.actor(Channel.WEB))
    assert (line.text, line.note) == ("A workflow flagged Bob Rivera for you", "Send the welcome box.")


def test_what_source_002_does_after_qualifying(acme, actor, engine, won):
    shipped = next(each for each in SHIPPED.values() if each.name == "inbound")
    make_flow(actor("admin"), WON, *shipped.steps)
    contact = won("Bob Rivera")
    engine()
    deal, follow_up = Opportunity.objects.get(), Activity.objects.get()
    assert (deal.name, deal.amount, deal.stage) == ("Bob Rivera - Inbound", 12_000, "prospecting")
    assert (follow_up.subject, follow_up.kind) == ("Follow up with Bob Rivera", "task")
    assert (follow_up.status, follow_up.priority, follow_up.contact) == ("pending", "high", contact)


@pytest.mark.parametrize("name", [each.name for each in SHIPPED.values()])
def test_every_shipped_one_can_be_switched_on(acme, actor, name):
    shipped = next(each for each in SHIPPED.values() if each.name == name)
    made = make_flow(actor("admin"), shipped.trigger, *shipped.steps, condition=shipped.condition, name=shipped.title)
    assert made.enabled


WRONG = [
    ({"trigger": {"kind": "nothing", "entity": "contact"}}, "trigger"),
    ({"trigger": becomes("nowhere")}, "trigger-to"),
    ({"condition": "owner = me"}, "condition"),
    ({"condition": "nonsense ="}, "condition"),
    ({"steps": []}, "steps"),
    ({"steps": [{"kind": "dance"}]}, "step-0"),
    ({"steps": [task("{nobody}")]}, "step-0-subject"),
    ({"steps": [task("{opportunities}")]}, "step-0-subject"),
    ({"steps": [task("{name")]}, "step-0-subject"),
    ({"steps": [set_field("email", "no address")]}, "step-0-value"),
    ({"steps": [set_field("lifecycle_stage", "customer")]}, "step-0-field"),
    ({"steps": [{"kind": "branch", "condition": "title = x"}, task()]}, "steps"),
    ({"steps": [task(), {"kind": "end"}]}, "step-1"),
    ({"steps": [{"kind": "webhook", "url": "http://127.0.0.1/"}]}, "step-0-url"),
    ({"steps": [{"kind": "mail", "to": "address", "subject": "s", "body": "b"}]}, "step-0-address"),
    ({"owner": None}, "owner"),
    ({"name": " "}, "name"),
]


@pytest.mark.parametrize(("wrong", "key"), WRONG)
def test_what_makes_no_sense_is_refused_with_its_place(acme, actor, cast, wrong, key):
    right = {"name": "Flow", "owner": cast.admin.pk, "trigger": WON, "condition": "", "steps": [task()]}
    with pytest.raises(Invalid) as error:
        save_workflow(Workflow(), by=actor("admin"), **(right | wrong))
    assert key in error.value.errors
    assert not Workflow.objects.exists()


def test_only_admins_make_them(acme, actor, cast):
    with pytest.raises(NotAllowed):
        make_flow(actor("manager"), WON, task())
