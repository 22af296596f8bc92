"""The list of activities, its bulk actions, and the page of one."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.undo.undo import undo
from contacts.activities.listing import ACTIVITIES
from contacts.models import Activity, Participant
from contacts.timeline import own_activities_timeline
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.log import log
from crm.kit import clock
from crm.kit.errors import Invalid
from crm.opportunities.pages import timeline_with_people
from crm.opportunities.verbs.add_person import add_person
from crm.records.verbs.delete import delete
from crm.users.models import Membership
from tests.factories import make_activity, make_company, make_contact, make_opportunity, rows

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def tasks(acme, cast) -> dict[str, Activity]:
    """Tasks of the rep by what they are, as seen at NOW."""
    ana = make_contact("Ana")
    due = {"late": NOW - HOUR, "today": NOW + HOUR, "week": NOW + 3 * DAY, "later": NOW + 9 * DAY, "undated": None}
    made = {name: _task(name, cast.rep, contact=ana, due_at=at) for name, at in due.items()}
    return made | {"mate": _task("mate", cast.mate, contact=ana), "other": _task("other", cast.outsider, contact=ana)}


def _task(subject, owner, **values) -> Activity:
    return make_activity(subject, kind="task", owner_id=owner.pk, **values)


def listed(client, view: str) -> list[str]:
    """Return the subjects in a view at NOW, in its order."""
    with clock.at(NOW):
        page = client.get(f"/activity?view={view}").content.decode()
    known = Activity.objects.values_list("public_id", "subject")
    places = {page.find(f'data-href="/activity/{pk}"'): subject for pk, subject in known}
    return [places[place] for place in sorted(places) if place > -1]


@pytest.mark.parametrize(
    "view, subjects",
    [
        ("my_tasks", ["late", "today", "week", "later", "undated"]),
        ("overdue", ["late"]),
        ("today", ["late", "today"]),
        ("week", ["today", "week"]),
        ("team", ["late", "today", "week", "later", "undated", "mate"]),
        ("calls", []),
    ],
)
def test_the_views_of_a_member(sign_in, tasks, view, subjects):
    found = listed(sign_in("rep"), view)
    assert (found if view != "team" else sorted(found)) == (subjects if view != "team" else sorted(subjects))


def test_every_view_can_be_read_and_its_actions_are_offered(sign_in, tasks):
    for view in ACTIVITIES.views:
        assert sign_in("rep").get(f"/activity?view={view.slug}").status_code == 200
    page = sign_in("rep").get("/activity?view=my_tasks").content.decode()
    for action in ("Complete", "Reassign", "Postpone", "Move to trash"):
        assert action in page


def test_calls_and_meetings_are_sorted_by_when_they_were(sign_in, acme, actor):
    held = {"old": NOW - 9 * DAY, "new": NOW - DAY, "middle": NOW - 2 * DAY}
    facts = {"kind": "meeting", "contact_id": make_contact("Ana").pk}
    with clock.at(NOW):
        log([facts | {"subject": subject, "occurred_at": at} for subject, at in held.items()], by=actor("rep"))
        log([facts | {"subject": "next", "due_at": NOW + DAY}], by=actor("rep"))
    assert listed(sign_in("rep"), "meetings") == ["next", "new", "middle", "old"]


def test_a_rep_lists_what_they_see_and_is_found_by_subject_and_contact(sign_in, acme, cast):
    hidden = make_contact("Hidden", team=cast.outsider.team, owner=cast.outsider)
    secret = make_company("Secret Ltd", team=cast.outsider.team, owner=cast.outsider)
    make_activity("Not for reps", kind="note", contact=hidden)
    make_activity("Nor this", kind="note", contact=None, company=secret)
    make_activity("Über Preise", kind="note", contact=make_contact("Zoë"))
    make_activity("Of a company", kind="note", contact=None, company=make_company("Open Ltd"))
    assert sorted(listed(sign_in("rep"), "all")) == ["Of a company", "Über Preise"]
    assert len(listed(sign_in("manager"), "all")) == 4
    for words in ("uber", "zoe", "PREISE zoë"):
        page = sign_in("rep").get(f"/activity?view=all&q={words}").content.decode()
        assert ("Über Preise" in page, "Of a company" in page) == (True, False)
    export = b"".join(sign_in("rep").get("/activity/export?view=all").streaming_content).decode()
    assert ("Of a company" in export, "Not for reps" in export) == (True, False)


def bulk(client, action: str, *chosen: Activity, **answers):
    data = {"action": action, "selected": [row.public_id for row in chosen], "confirm": "1", "query": "view=all"}
    return client.post("/activity/bulk", data | answers)


def changed_by(client) -> str:
    """Return the change that the page offers to undo."""
    page = client.get("/activity?view=all").content.decode()
    return page.partition("/undo/")[2][:36]


def test_tasks_are_completed_reassigned_postponed_and_deleted_in_bulk(sign_in, tasks, cast, actor):
    client, late, today = sign_in("rep"), tasks["late"], tasks["today"]
    call = make_activity("call", kind="call", status="pending", contact=late.contact, due_at=NOW)

    def states(*names):
        return [list(Activity.objects.order_by("pk").filter(pk__in=[late.pk, today.pk]).values_list(*names))]

    before = states("status", "assignee", "due_at", "deleted_at")
    for action, answers, check in (
        ("complete", {}, {"status": "done"}),
        ("reassign", {"assignee": cast.mate.pk}, {"assignee": cast.mate}),
        ("postpone", {"day": "2027-03-10"}, {"due_at__date": datetime(2027, 3, 10).date()}),
        ("cancel", {}, {"status": "cancelled"}),
        ("delete", {}, {"deleted_at__isnull": False}),
    ):
        assert bulk(client, action, late, today, **answers).status_code == 302
        assert Activity.objects.filter(pk__in=[late.pk, today.pk], **check).count() == 2, action
        undo(changed_by(client), by=actor("manager"))
        assert states("status", "assignee", "due_at", "deleted_at") == before, action
    unanswered = bulk(client, "complete", call, late)
    assert unanswered.status_code == 422 and "Choose the outcome of the call." in unanswered.content.decode()
    assert not Activity.objects.filter(status="done").exists()
    bulk(client, "complete", call, late, outcome="connected")
    assert set(Activity.objects.filter(status="done").values_list("subject", "outcome")) == {
        ("call", "connected"),
        ("late", ""),
    }


def test_what_was_deleted_is_restored_from_the_trash(sign_in, tasks):
    client = sign_in("rep")
    bulk(client, "delete", tasks["late"])
    assert listed(client, "trash") == ["late"]
    bulk(client, "restore", tasks["late"], query="view=trash")
    assert listed(client, "trash") == []


def test_a_new_one_is_written_from_the_list(sign_in, acme, cast):
    ana, bo = make_contact("Ana Pérez"), make_contact("Bo")
    client = sign_in("rep")
    facts = {"kind": "meeting", "subject": "Kick-off", "contact": "Ana Pérez", "participant": bo.public_id}
    made = client.post("/activity/new", facts)
    activity = Activity.objects.get()
    assert (made.status_code, made["Location"]) == (302, f"/activity/{activity.public_id}")
    assert (activity.contact, Participant.objects.get().contact) == (ana, bo)
    wrong = client.post("/activity/new", facts | {"contact": "Nobody"})
    assert wrong.status_code == 422 and Activity.objects.count() == 1
    neither = client.post("/activity/new", {"kind": "note", "body": "Hello"})
    assert "Choose a contact or company for this activity." in neither.content.decode()


def test_its_page_has_what_it_is_about_and_its_people(sign_in, acme, cast):
    ana, bo = make_contact("Ana"), make_contact("Bo")
    deal = make_opportunity("Deal", contact=ana, team=cast.outsider.team, owner=cast.outsider)
    meeting = make_activity("Kick-off", kind="meeting", contact=ana, opportunity_id=deal.pk, by=None)
    client = sign_in("rep")
    url = f"/activity/{meeting.public_id}"
    page = client.get(url).content.decode()
    assert "Deal" in page and f'href="{deal.get_absolute_url()}"' not in page  # of hidden records the name alone
    assert f'href="{deal.get_absolute_url()}"' in sign_in("manager").get(url).content.decode()
    assert client.post(f"{url}/participants", {"contact": "Bo"})["Location"] == url
    assert f'href="{bo.get_absolute_url()}"' in client.get(url).content.decode()
    again = client.post(f"{url}/participants", {"contact": "Bo"})
    assert again.status_code == 422 and "Already a participant" in again.content.decode()
    client.post(f"{url}/participants/{Participant.objects.get().pk}/remove")
    assert not Participant.objects.live().exists()


def test_an_opportunity_shows_its_own_or_its_peoples(sign_in, acme, actor):
    ana, bo = make_contact("Ana"), make_contact("Bo")
    deal = make_opportunity("Deal", contact=ana)
    add_person(rows(deal), bo, by=actor("manager"))
    client = sign_in("manager")
    client.post(f"{deal.get_absolute_url()}/activity", {"kind": "note", "body": "About the deal"})
    client.post(f"{ana.get_absolute_url()}/activity", {"kind": "note", "body": "About Ana"})
    client.post(f"{bo.get_absolute_url()}/activity", {"kind": "note", "body": "About Bo"})
    offered = {"kind": "note", "body": "From Ana’s page", "opportunity": deal.pk}
    client.post(f"{ana.get_absolute_url()}/activity", offered)
    own, everyones = {"About the deal", "From Ana’s page"}, {"About Ana", "About Bo"}

    def subjects(timeline):
        return {item.activity.subject for item in timeline(deal, actor("manager"))[0] if item.activity}

    assert subjects(own_activities_timeline) == own
    assert subjects(timeline_with_people) == own | everyones
    page = client.get(f"{deal.get_absolute_url()}?timeline=people").content.decode()
    assert all(body in page for body in own | everyones)
    assert "About Bo" not in client.get(deal.get_absolute_url()).content.decode()


def test_a_hidden_opportunity_is_refused(sign_in, acme, cast):
    ana = make_contact("Ana")
    deal = make_opportunity("Deal", contact=ana, team=cast.outsider.team, owner=cast.outsider)
    page = sign_in("rep").post(
        f"{ana.get_absolute_url()}/activity", {"kind": "note", "body": "x", "opportunity": deal.pk}
    )
    assert not Activity.objects.filter(opportunity=deal).exists() and page.status_code in (302, 422)


def test_an_edit_keeps_the_hidden_opportunity_that_it_does_not_change(sign_in, acme, cast, actor):
    ana = make_contact("Ana")
    deal = make_opportunity("Secret", contact=ana, owner=cast.outsider, team=cast.outsider.team)
    other = make_opportunity("Other", contact=ana, owner=cast.outsider, team=cast.outsider.team)
    task = make_activity("Call", kind="task", contact=ana, opportunity=deal, due_at=NOW)
    facts = {"subject": "Call again", "priority": "normal", "due_at": "2027-03-01T12:00", "opportunity": deal.pk}
    url = f"/activity/{task.public_id}/edit"
    assert sign_in("rep").post(url, facts).status_code == 302
    assert sign_in("rep").post(url, facts | {"opportunity": other.pk}).status_code == 422
    delete(rows(deal), by=actor("manager"), reason="x")
    assert sign_in("manager").post(url, facts | {"subject": "Call once more"}).status_code == 302
    task.refresh_from_db()
    assert (task.subject, task.opportunity_id) == ("Call once more", deal.pk)


def test_members_of_others_and_former_ones_get_no_activities(sign_in, tasks, cast, actor):
    late = tasks["late"]
    Membership.objects.filter(pk=cast.mate.pk).update(is_active=False)
    for member in (cast.mate, cast.globex_rep):
        assert bulk(sign_in("rep"), "reassign", late, assignee=member.pk).status_code == 422
    with pytest.raises(Invalid, match="Choose a member"):
        edit_activity(rows(late), {"assignee": cast.globex_rep.pk}, by=actor("manager"))
    late.refresh_from_db()
    assert late.assignee == cast.rep


def test_what_took_place_is_not_canceled_in_bulk(sign_in, tasks):
    client, call = sign_in("rep"), make_activity("call", contact=tasks["late"].contact)
    page = bulk(client, "cancel", call, tasks["late"])
    assert page.status_code == 302
    found = Activity.objects.filter(pk__in=[call.pk, tasks["late"].pk])
    assert dict(found.values_list("subject", "status")) == {"call": "done", "late": "cancelled"}
    assert "This activity is already closed." in client.get(page.url).content.decode()


def test_a_member_without_a_team_has_no_teammates(sign_in, tasks):
    Activity.objects.update(assignee=None)
    assert 'data-href="/activity/' not in sign_in("manager").get("/activity?view=all&assignee=team").content.decode()
