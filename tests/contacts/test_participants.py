"""People in an activity besides its contact: their timelines, engagement and first contacts; merged, undone."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.undo.undo import undo
from contacts.models import Activity, Contact, EngagementEvent, Participant
from contacts.timeline import of_contact
from contacts.verbs.add_participants import add_participants
from contacts.verbs.complete import complete
from contacts.verbs.create import create
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.log import log
from contacts.verbs.merge import merge
from contacts.verbs.remove_participants import remove_participants
from contacts.verbs.restore_activity import restore_activity
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.errors import Invalid
from leads.models import Lead
from tests.factories import make_company, make_contact, rows
from tests.leads.factories import make_lead

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)


def meet(first: Contact, *others: Contact, by, **values) -> Activity:
    """Log a meeting of several people at NOON."""
    facts = {"kind": "meeting", "subject": "Kick-off", "contact_id": first.pk} | values
    with clock.at(NOON):
        outcome = log([facts | {"participants": [person.pk for person in others]}], by=by)
    return Activity.objects.get(pk=outcome.done[0])


def sentences(contact: Contact, by) -> list[str]:
    return [f"{item.text} {item.subject}" for item in of_contact(contact, by)[0]]


def test_a_meeting_is_on_everyones_timeline_and_counts_for_everyone(actor, acme):
    ana, bo, cy = make_contact("Ana"), make_contact("Bo"), make_contact("Cy")
    leads = {person: make_lead(contact=person) for person in (ana, bo)}
    by = actor("manager")
    meet(ana, bo, cy, by=by)
    for person in (ana, bo, cy):
        assert "{who} logged a meeting Kick-off" in sentences(person, by)
        assert Contact.objects.get(pk=person.pk).last_activity == NOON
        assert EngagementEvent.objects.filter(contact=person, kind="meeting_booked").count() == 1
    for lead in leads.values():
        assert (Lead.objects.get(pk=lead.pk).status, Lead.objects.get(pk=lead.pk).contacted_at) == ("working", NOON)
    undo(by.change, by=actor("manager"))
    for person, lead in ((ana, leads[ana]), (bo, leads[bo])):
        assert Contact.objects.get(pk=person.pk).last_activity == person.last_activity
        assert not EngagementEvent.objects.filter(contact=person).exists()
        assert Lead.objects.get(pk=lead.pk).status == "new"
    assert not Participant.objects.live().exists()


def test_a_person_added_later_was_there_and_one_removed_was_not(actor, acme):
    ana, bo = make_contact("Ana"), make_contact("Bo")
    lead = make_lead(contact=bo)
    meeting = meet(ana, by=actor("manager"))
    added, removed = actor("manager"), actor("manager")
    assert add_participants(rows(meeting), [bo], by=added).done == [meeting.pk]
    assert Lead.objects.get(pk=lead.pk).contacted_at == NOON
    assert Contact.objects.get(pk=bo.pk).last_activity == NOON
    assert "{who} added the contact to an activity " in sentences(bo, added)
    again = add_participants(rows(meeting), [bo, ana], by=actor("manager"))
    assert again.refused == {meeting.pk: "Already a participant in this activity."}
    remove_participants(Participant.objects.live(), by=removed)
    assert Lead.objects.get(pk=lead.pk).contacted_at is None
    assert Contact.objects.get(pk=bo.pk).last_activity == bo.last_activity
    assert not EngagementEvent.objects.filter(contact=bo).exists()
    undo(removed.change, by=actor("manager"))
    assert [row.contact for row in Participant.objects.live()] == [bo]
    assert EngagementEvent.objects.filter(contact=bo).count() == 1
    assert Contact.objects.get(pk=bo.pk).last_activity == NOON


def test_deleting_and_restoring_concerns_everyone(actor, acme):
    ana, bo = make_contact("Ana"), make_contact("Bo")
    meeting = meet(ana, bo, by=actor("manager"))
    delete_activity(rows(meeting), by=actor("manager"))
    assert Contact.objects.get(pk=bo.pk).last_activity == bo.last_activity
    assert not EngagementEvent.objects.exists()
    restore_activity(rows(meeting), by=actor("manager"))
    assert Contact.objects.get(pk=bo.pk).last_activity == NOON
    assert EngagementEvent.objects.filter(contact=bo).count() == 1


def test_a_planned_meeting_is_an_open_task_of_each_and_of_their_company(actor, acme):
    company = make_company("Vans Ltd")
    ana, bo = make_contact("Ana"), make_contact("Bo", company=company)
    by = actor("manager")
    meeting = meet(ana, bo, by=by, due_at=LATER)
    assert of_contact(bo, by)[1] == [meeting]
    with clock.at(LATER):
        complete(rows(meeting), by=actor("manager"))
    assert of_contact(bo, by)[1] == []
    assert Contact.objects.get(pk=bo.pk).last_activity == LATER


@pytest.mark.parametrize("first, taking_part", [("survivor", True), ("duplicate", True), ("other", False)])
def test_a_merge_leaves_everyone_in_it_once(actor, acme, first, taking_part):
    survivor, duplicate, other = make_contact("Ana"), make_contact("Anna"), make_contact("Bo")
    people = {"survivor": survivor, "duplicate": duplicate, "other": other}
    others = [person for name, person in people.items() if name != first]
    meeting = meet(people[first], *others, by=actor("manager"))
    before = set(Participant.objects.live().values_list("activity", "contact"))
    by = actor("manager")
    merge(survivor, Contact.objects.filter(pk=duplicate.pk), by=by)
    meeting.refresh_from_db()
    joined = list(Participant.objects.live().values_list("contact", flat=True))
    assert sorted([meeting.contact_id, *joined]) == sorted([survivor.pk, other.pk])
    undo(by.change, by=actor("manager"))
    assert set(Participant.objects.live().values_list("activity", "contact")) == before


def test_a_meeting_with_someone_hidden_is_hidden_from_the_others_timeline(actor, acme, cast):
    hidden = make_contact("Ana", team=cast.outsider.team, owner=cast.outsider)
    open_one = make_contact("Bo")
    meet(hidden, open_one, by=actor("manager"))
    assert not [line for line in sentences(open_one, actor("rep")) if "meeting" in line or "Kick-off" in line]
    assert [line for line in sentences(open_one, actor("manager")) if "Kick-off" in line]


def test_only_people_that_one_sees_are_added(actor, acme, cast):
    hidden, bo = make_contact("Ana", team=cast.outsider.team, owner=cast.outsider), make_contact("Bo")
    with pytest.raises(Invalid, match="Contact not found"):
        meet(bo, hidden, by=actor("rep"))
    meeting = meet(bo, by=actor("rep"))
    with pytest.raises(Invalid, match="Choose a contact"):
        add_participants(rows(meeting), [hidden], by=actor("rep"))


def test_the_participants_are_found_by_conditions(actor, acme):
    meeting = meet(make_contact("Ana"), make_contact("Bo"), by=actor("manager"))
    meet(make_contact("Cy"), by=actor("manager"))
    condition = parse("participants.contact = Bo", "activity")
    found = Activity.objects.filter(condition.expression(Viewer.looking(actor("manager")), clock.now()))
    assert list(found) == [meeting]


def test_more_conversations_than_a_condition_has_room_for_are_moved_deleted_and_merged(actor, acme):
    """Each in a statement whose depth doesn't grow: SQLite allows a thousand."""
    by, count = actor("manager"), 1_050
    people = create([{"name": f"Person {number}", "owner": None} for number in range(count)], by=by).done
    ana, bo = people[:2]
    facts = {"kind": "meeting", "subject": "Fair", "occurred_at": NOON - timedelta(days=1), "participants": [ana, bo]}
    with clock.at(NOON):
        log([facts | {"contact_id": person} for person in people], by=by)
        edit_activity(Activity.objects.all(), {"occurred_at": NOON}, by=actor("manager"))
    assert EngagementEvent.objects.filter(occurred_at=NOON).count() == count
    merge(Contact.objects.get(pk=ana), Contact.objects.filter(pk=bo), by=actor("manager"))
    delete_activity(Activity.objects.all(), by=actor("manager"))
    assert not EngagementEvent.objects.exists()
