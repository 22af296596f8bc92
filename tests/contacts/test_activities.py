"""log, complete, edit_activity and delete_activity."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps

from audit.undo.undo import undo
from contacts.engagement import NewEngagement
from contacts.models import Activity, Contact
from contacts.verbs.complete import complete
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.engage import engage
from contacts.verbs.log import log
from contacts.verbs.merge import merge
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.errors import Invalid, NotAllowed
from tests.factories import make_activity, make_company, make_contact, rows
from tests.log import assert_entry, assert_nothing_written, entries, written

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
CALL = {"kind": "call", "subject": "Pricing", "outcome": "connected"}
REFUSAL = "View only – this record belongs to someone else."


def test_what_was_done_is_the_contacts_last_activity(open_contact, cast, actor):
    by = actor("rep")
    with clock.at(NOON):
        outcome = log([CALL | {"minutes": 5, "contact_id": open_contact.pk}], by=by)
    call = Activity.objects.get()
    assert outcome.done == [call.pk]
    assert (call.status, call.done_at, call.occurred_at, call.owner) == ("done", NOON, NOON, cast.rep)
    contact = Contact.objects.get()
    assert (contact.last_activity, contact.version) == (NOON, open_contact.version)
    new = {"kind": "call", "subject": "Pricing", "contact": open_contact.pk, "owner": cast.rep.pk, "status": "done"}
    new |= {"priority": "normal", "minutes": 5, "outcome": "connected", "automatic": False}
    new |= dict.fromkeys(("done_at", "occurred_at"), "2027-03-01T12:00:00+00:00")
    assert_entry(by, call, "activity.logged", "CREATE", old=None, new=new, person=open_contact.pk)


def test_an_older_activity_does_not_turn_the_clock_back(open_contact, actor):
    earlier = NOON - timedelta(days=900)
    log([CALL | {"contact_id": open_contact.pk, "occurred_at": earlier}], by=actor("rep"))
    assert Contact.objects.get().last_activity == open_contact.last_activity


@pytest.mark.parametrize(
    "values, status",
    [
        ({"kind": "task"}, "pending"),
        ({"kind": "meeting", "due_at": NOON + timedelta(hours=1)}, "pending"),
        ({"kind": "meeting", "due_at": NOON - timedelta(hours=1)}, "done"),
        ({"kind": "note"}, "done"),
        ({"kind": "task", "status": "done"}, "done"),
    ],
)
def test_tasks_and_what_is_due_later_are_plans(values, status, open_contact, actor):
    by = actor("rep")
    with clock.at(NOON):
        log([{"subject": "Demo", "contact_id": open_contact.pk} | values], by=by)
    assert Activity.objects.get().status == status
    [(event, *_)] = written(by)
    assert event == {"pending": "activity.planned", "done": "activity.logged"}[status]


OUTCOMES = "Connected, Left voicemail, No answer, Busy, Wrong number"
NO_OUTCOME = f"“left vm” isn’t a call outcome. Choose one of: {OUTCOMES}."


@pytest.mark.parametrize(
    "values, errors",
    [
        ({"kind": "fax"}, {"kind": "“fax” isn’t an activity type. Choose one of: task, call, email, meeting, note."}),
        ({"kind": ""}, {"kind": "Choose an activity type: task, call, email, meeting, note."}),
        ({"subject": " "}, {"subject": "Add a note or a subject."}),
        ({"contact_id": None}, {"contact": "Choose a contact or company for this activity."}),
        ({"contact_id": 0, "company_id": None}, {"contact": "Choose a contact or company for this activity."}),
        ({"contact_id": 99}, {"contact": "Contact not found."}),
        ({"company_id": 99}, {"company": "Company not found."}),
        ({"outcome": ""}, {"outcome": "Choose the outcome of the call."}),
        ({"kind": "meeting"}, {"outcome": "Only a call can have an outcome."}),
        ({"status": "pending"}, {"outcome": "A scheduled call has no outcome yet."}),
        ({"outcome": "left vm"}, {"outcome": NO_OUTCOME}),
        ({"occurred_at": NOON + timedelta(days=900)}, {"occurred_at": "17 Aug 2029, 12:00 is in the future."}),
        ({"kind": "task", "outcome": "", "assignee_id": 99}, {"assignee": "Choose a member."}),
    ],
)
def test_what_makes_no_sense_is_refused(values, errors, open_contact, actor):
    by = actor("rep")
    with pytest.raises(Invalid) as error:
        log([CALL | {"contact_id": open_contact.pk} | values], by=by)
    assert error.value.errors == errors
    assert_nothing_written(by)


def test_nobody_logs_with_people_they_do_not_see(team_contact, actor):
    facts = CALL | {"contact_id": team_contact.pk}
    with pytest.raises(Invalid, match="Contact not found"):
        log([facts], by=actor("outsider"))
    with pytest.raises(NotAllowed, match="Viewers can’t log"):
        log([facts], by=actor("viewer"))


def test_a_task_is_completed_once(open_contact, actor):
    task = make_activity("Send pricing", kind="task", contact=open_contact)
    by = actor("rep")
    with clock.at(NOON):
        assert complete(rows(task), by=by).done == [task.pk]
    old = {"status": "pending", "done_at": None, "occurred_at": None}
    new = {"status": "done"} | dict.fromkeys(("done_at", "occurred_at"), "2027-03-01T12:00:00+00:00")
    assert_entry(by, task, "activity.completed", "COMPLETE", old=old, new=new, person=open_contact.pk)
    assert Contact.objects.get().last_activity == NOON
    again = actor("rep")
    assert complete(rows(task), by=again).refused == {task.pk: "This activity is already closed."}
    assert_nothing_written(again)


def test_an_activity_is_edited_and_hidden(open_contact, actor):
    call = make_activity("Call", contact=open_contact)
    by = actor("rep")
    edit_activity(rows(call), {"subject": "Pricing call", "minutes": 5}, by=by)
    old, new = {"subject": "Call", "minutes": None}, {"subject": "Pricing call", "minutes": 5}
    assert_entry(by, call, "activity.updated", "UPDATE", old=old, new=new, person=open_contact.pk)
    by = actor("rep")
    delete_activity(rows(call), by=by)
    assert [event for event, *_ in written(by)] == ["activity.deleted"]
    assert not Activity.objects.live().exists()


LATER = NOON + timedelta(hours=5)
TAKE_AWAY = {
    "delete": lambda call, logged, by: delete_activity(rows(call), by=by),
    "cancel": lambda call, logged, by: edit_activity(rows(call), {"status": "cancelled"}, by=by),
    "undo": lambda call, logged, by: undo(logged.change, by=by),
}


@pytest.mark.parametrize("how", TAKE_AWAY)
def test_what_is_taken_away_is_nobodys_last_activity(how, acme, actor):
    with clock.at(NOON - timedelta(days=1)):
        contact, other = make_contact(), make_contact()
    with clock.at(NOON):
        make_activity("Earlier", contact=contact)
    logged = actor("manager")
    with clock.at(LATER):
        call = make_activity("Later", contact=contact, by=logged)
        make_activity("Theirs", contact=other)
    TAKE_AWAY[how](call, logged, actor("manager"))
    assert [Contact.objects.get(pk=c.pk).last_activity for c in (contact, other)] == [NOON, LATER]


def test_of_somebody_with_whom_nothing_was_done_the_last_activity_is_when_they_were_made(acme, actor):
    with clock.at(NOON):
        contact = make_contact()
    with clock.at(LATER):
        task = make_activity(kind="task", contact=contact)
        complete(rows(task), by=(by := actor("manager")))
    assert Contact.objects.get().last_activity == LATER
    undo(by.change, by=actor("manager"))
    assert Contact.objects.get().last_activity == NOON


def test_an_engagement_is_an_activity_and_so_was_a_duplicate_being_made(acme, actor):
    with clock.at(NOON):
        contact = make_contact()
    with clock.at(NOON + timedelta(hours=1)):
        twin = make_contact()
    with clock.at(LATER):
        call = make_activity(contact=twin)
    merge(contact, rows(twin), by=actor("manager"))
    assert Contact.objects.get(pk=contact.pk).last_activity == LATER
    delete_activity(rows(call), by=(deleted := actor("manager")))
    assert Contact.objects.get(pk=contact.pk).last_activity == NOON + timedelta(hours=1)
    undo(deleted.change, by=actor("manager"))
    assert Contact.objects.get(pk=contact.pk).last_activity == LATER
    with clock.at(LATER):
        engage([NewEngagement(contact.pk, "page_viewed", NOON + timedelta(hours=2))], by=actor("manager"))
    delete_activity(rows(call), by=actor("manager"))
    assert Contact.objects.get(pk=contact.pk).last_activity == NOON + timedelta(hours=2)


def test_unmerged_each_has_their_own_last_activity_again(acme, actor):
    with clock.at(NOON):
        contact, twin = make_contact(), make_contact()
    with clock.at(LATER):
        make_activity(contact=twin)
    merge(contact, rows(twin), by=(merged := actor("manager")))
    with clock.at(LATER + timedelta(hours=1)):  # prevents the undo from restoring the old time
        call = make_activity(contact=contact)
    delete_activity(rows(call), by=actor("manager"))
    undo(merged.change, by=actor("manager"))
    assert [Contact.objects.get(pk=c.pk).last_activity for c in (contact, twin)] == [NOON, LATER]


@pytest.mark.parametrize(
    "values, sentence",
    [
        ({"kind": "task"}, "kind of an activity can’t be changed."),
        ({"contact": 1}, "contact of an activity can’t be changed."),
        ({"subject": " "}, "Add a note or a subject."),
        ({"status": "done"}, "Set the status to Pending or Canceled. To complete a task, use Complete."),
        ({"outcome": ""}, "Choose the outcome of the call."),
        ({"outcome": "spoke"}, NO_OUTCOME.replace("left vm", "spoke")),
        ({"occurred_at": None}, "Enter when it took place."),
    ],
)
def test_an_edit_of_an_activity_has_its_limits(values, sentence, open_contact, actor):
    call, by = make_activity(contact=open_contact), actor("rep")
    with pytest.raises(Invalid) as error:
        edit_activity(rows(call), values, by=by)
    assert str(error.value) == sentence
    assert_nothing_written(by)


@pytest.mark.parametrize("kind, subject", [("call", "Call"), ("email", "Email"), ("meeting", "Meeting")])
def test_it_is_enough_to_say_that_it_took_place(kind, subject, open_contact, sign_in):
    facts = {"kind": kind, "priority": "normal", "outcome": "connected" if kind == "call" else ""}
    assert sign_in("rep").post(f"{open_contact.get_absolute_url()}/activity", facts).status_code == 302
    assert open_contact.activities.get().subject == subject


@pytest.mark.parametrize("kind", ["note", "task"])
def test_a_note_and_a_task_say_what_they_are_about(kind, open_contact, sign_in):
    facts = {"kind": kind, "priority": "normal"}
    assert sign_in("rep").post(f"{open_contact.get_absolute_url()}/activity", facts).status_code == 422


VERBS = {
    "complete": lambda found, by: complete(found, by=by),
    "edit": lambda found, by: edit_activity(found, {"body": "more"}, by=by),
    "delete": lambda found, by: delete_activity(found, by=by),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("who", ["viewer", "rep", "mate", "outsider", "manager"])
def test_whoever_may_change_the_person_may_change_the_activity(verb, who, open_contact, team_contact, cast, actor):
    changes = {"rep": "both", "mate": "team", "manager": "both"}.get(who, "")
    of_open, of_team = (make_activity(kind="task", contact=c) for c in (open_contact, team_contact))
    by = actor(who)
    outcome = VERBS[verb](rows(of_open, of_team), by)
    done = [of_open.pk] * (changes == "both") + [of_team.pk] * bool(changes)
    assert outcome.done == done
    assert outcome.refused == ({} if changes == "both" else {of_open.pk: REFUSAL})
    assert [entry.entity_id for entry in entries(by)] == done


def test_of_a_company_whoever_may_change_the_company(acme, cast, actor):
    company = make_company(owner=cast.rep)
    task = make_activity(kind="task", company=company)
    assert complete(rows(task), by=actor("mate")).refused == {task.pk: REFUSAL}
    assert complete(rows(task), by=actor("rep")).done == [task.pk]
    assert make_contact().last_activity


@pytest.mark.parametrize(
    "kind, said, outcome, body",
    [
        ("call", "Connected", "connected", "Price"),
        ("call", " left a voicemail ", "left_voicemail", "Price"),
        ("call", "Rang off", "", "Price\n\nOutcome: Rang off"),
        ("meeting", "connected", "", "Price\n\nOutcome: connected"),
    ],
)
def test_the_migration_reads_outcomes_of_old_and_keeps_the_others_as_text(
    kind, said, outcome, body, open_contact, actor
):
    plain = {"kind": kind, "subject": "Talk", "body": "Price", "outcome": "connected" if kind == "call" else ""}
    log([plain | {"contact_id": open_contact.pk}], by=actor("rep"))
    Activity.objects.update(outcome=said, occurred_at=None, automatic=True, assignee=None)
    import_module("contacts.migrations.0007_existing_outcomes").fill(apps, None)
    activity = Activity.objects.get()
    assert (activity.outcome, activity.body, activity.occurred_at) == (outcome, body, activity.done_at)


def test_the_migration_gives_plans_to_their_owner_and_knows_what_workflows_made(open_contact, cast, actor):
    by = replace(actor("rep"), channel=Channel.WORKFLOW)
    log([{"kind": "task", "subject": "Call", "contact_id": open_contact.pk}], by=by)
    log([{"kind": "note", "subject": "Note", "contact_id": open_contact.pk}], by=actor("rep"))
    Activity.objects.update(automatic=False, assignee=None)
    import_module("contacts.migrations.0007_existing_outcomes").fill(apps, None)
    assert list(Activity.objects.order_by("pk").values_list("assignee", "automatic")) == [
        (cast.rep.pk, True),
        (None, False),
    ]
