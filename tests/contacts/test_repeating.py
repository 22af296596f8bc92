"""Activities that repeat: what completing one plans, over clock changes and short months."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.undo.undo import undo
from contacts.activities import repeating
from contacts.models import Activity, Participant
from contacts.verbs.complete import complete
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.log import log
from contacts.verbs.postpone import postpone
from crm.entities.values import zone
from crm.kit import clock
from crm.kit.errors import Invalid, Refused
from tests.factories import make_contact, rows
from tests.threads import at_once

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def berlin(acme):
    acme.timezone = "Europe/Berlin"
    acme.save()


def task(actor, due: datetime, repeats: str, **values) -> Activity:
    facts = {"kind": "task", "subject": "Call back", "due_at": due, "repeats": repeats}
    with clock.at(due - timedelta(days=1)):
        outcome = log([facts | {"contact_id": make_contact().pk} | values], by=actor("manager"))
    return Activity.objects.get(pk=outcome.done[0])


def done(activity: Activity, actor, at: datetime | None = None) -> Activity:
    """Complete it, by default when due; return the next."""
    with clock.at(at or activity.due_at):
        complete(rows(activity), by=actor("manager")).or_raise()
    return Activity.objects.get(status="pending", deleted_at=None)


@pytest.mark.parametrize(
    "repeats, due, following",
    [
        ("daily", (2027, 3, 26), [(2027, 3, 27), (2027, 3, 28), (2027, 3, 29)]),  # summer time begins on the 28th
        ("weekdays", (2027, 3, 25), [(2027, 3, 26), (2027, 3, 29), (2027, 3, 30)]),
        ("weekly", (2027, 10, 25), [(2027, 11, 1), (2027, 11, 8), (2027, 11, 15)]),
        ("fortnightly", (2027, 3, 1), [(2027, 3, 15), (2027, 3, 29), (2027, 4, 12)]),
        ("monthly", (2027, 1, 31), [(2027, 2, 28), (2027, 3, 31), (2027, 4, 30)]),
        ("quarterly", (2026, 11, 30), [(2027, 2, 28), (2027, 5, 30), (2027, 8, 30)]),
        ("yearly", (2028, 2, 29), [(2029, 2, 28), (2030, 2, 28), (2031, 2, 28)]),
    ],
)
def test_the_next_is_due_at_the_same_time_of_day(actor, repeats, due, following):
    current = task(actor, datetime(*due, 9, 30, tzinfo=BERLIN), repeats)
    for day in following:
        current = done(current, actor)
        assert current.due_at.astimezone(zone()) == datetime(*day, 9, 30, tzinfo=BERLIN)


def test_what_is_done_late_is_due_in_the_future(actor):
    current = task(actor, datetime(2027, 3, 1, 9, tzinfo=BERLIN), "weekly")
    assert done(current, actor, datetime(2027, 3, 23, 10, tzinfo=UTC)).due_at == datetime(2027, 3, 29, 9, tzinfo=BERLIN)


def test_the_next_is_like_the_one_before_and_one_undo_takes_it_back(actor, acme):
    ana = make_contact("Ana")
    current = task(
        actor, datetime(2027, 3, 1, 9, tzinfo=UTC), "weekly", priority="high", reminder="60", participants=[ana.pk]
    )
    by = actor("manager")
    with clock.at(current.due_at):
        complete(rows(current), by=by)
    following = Activity.objects.get(status="pending")
    for name in ("subject", "contact", "priority", "reminder", "repeats", "assignee", "owner"):
        assert getattr(following, name) == getattr(current, name), name
    assert [row.contact for row in Participant.objects.filter(activity=following)] == [ana]
    undo(by.change, by=actor("manager"))
    assert list(Activity.objects.live().values_list("pk", "status")) == [(current.pk, "pending")]


def test_postponing_moves_one_and_editing_the_series(actor):
    current = task(actor, datetime(2027, 3, 1, 9, tzinfo=BERLIN), "weekly")
    postpone(rows(current), day=datetime(2027, 3, 3).date(), by=actor("manager"))
    current.refresh_from_db()
    assert current.due_at == datetime(2027, 3, 3, 9, tzinfo=BERLIN)
    edit_activity(rows(current), {"subject": "Call again", "due_at": current.due_at}, by=actor("manager"))
    following = done(current, actor)
    assert following.due_at == datetime(2027, 3, 8, 9, tzinfo=BERLIN)
    edit_activity(rows(following), {"due_at": datetime(2027, 3, 9, 10, tzinfo=BERLIN)}, by=actor("manager"))
    following.refresh_from_db()
    assert done(following, actor).due_at == datetime(2027, 3, 16, 10, tzinfo=BERLIN)


def test_without_a_due_time_nothing_repeats(actor, acme):
    with pytest.raises(Invalid, match="Enter when it’s due"):
        log(
            [{"kind": "task", "subject": "Call", "repeats": "weekly", "contact_id": make_contact().pk}], by=actor("rep")
        )
    current = task(actor, datetime(2027, 3, 1, 9, tzinfo=UTC), "weekly")
    with pytest.raises(Invalid, match="Enter when it’s due"):
        edit_activity(rows(current), {"due_at": None}, by=actor("manager"))


def test_what_was_done_at_once_or_canceled_does_not_repeat(actor, acme):
    current = task(actor, datetime(2027, 3, 1, 9, tzinfo=UTC), "daily")
    edit_activity(rows(current), {"status": "cancelled"}, by=actor("manager"))
    call = {"kind": "call", "subject": "Call", "outcome": "busy", "repeats": "daily", "contact_id": make_contact().pk}
    log([call], by=actor("manager"))
    assert not Activity.objects.filter(status="pending").exists()


@pytest.mark.parametrize(
    "repeats, start, following",
    [
        ("daily", (1800, 1, 1), (2027, 3, 2)),
        ("weekdays", (1800, 1, 1), (2027, 3, 2)),
        ("fortnightly", (1800, 1, 6), (2027, 3, 15)),
        ("monthly", (1800, 1, 31), (2027, 3, 31)),
        ("yearly", (1800, 2, 28), (2028, 2, 28)),
    ],
)
def test_a_series_of_centuries_is_not_walked_through(actor, monkeypatch, repeats, start, following):
    """Or a form could ask for a hundred thousand steps for each activity."""
    steps, shift = [], repeating.shift
    monkeypatch.setattr(repeating, "shift", lambda *given: steps.append(given) or shift(*given))
    current = task(actor, datetime(*start, 9, tzinfo=BERLIN), repeats)
    assert done(current, actor, datetime(2027, 3, 1, 10, tzinfo=UTC)).due_at.date() == datetime(*following).date()
    assert len(steps) < 60


@pytest.mark.parametrize("year", [1, 1799, 2300, 9999])
@pytest.mark.parametrize("timezone", ["Europe/Berlin", "America/New_York"])
def test_times_that_no_record_can_have_are_refused(actor, sign_in, acme, year, timezone):
    """They overflowed in time zones, and PostgreSQL returned years that Python can't read."""
    acme.timezone = timezone
    acme.save()
    task(actor, datetime(2027, 3, 1, 9, tzinfo=UTC), "daily")
    current, day = Activity.objects.get(), f"{year:04}-12-31"
    facts = {"subject": "x", "priority": "normal", "repeats": "daily", "reminder": "10080", "due_at": f"{day}T23:59"}
    client = sign_in("rep")
    new = facts | {"kind": "task", "contact": current.contact.public_id}
    assert client.post("/activity/new", new).status_code == 422
    assert client.post(f"/activity/{current.public_id}/edit", facts).status_code == 422
    postponed = {"action": "postpone", "selected": [current.public_id], "confirm": "1", "day": day}
    assert client.post("/activity/bulk", postponed).status_code == 422
    past = new | {"kind": "meeting", "due_at": "", "occurred_at": f"{day}T23:59"}
    assert client.post("/activity/new", past).status_code == 422
    assert Activity.objects.get().due_at == current.due_at


def test_many_are_postponed_in_as_many_statements_each_at_its_time(actor, acme):
    counts, start = [], datetime(2027, 3, 1, 9, tzinfo=BERLIN)
    for count in (2, 20):
        ana = make_contact()
        facts = {"kind": "task", "subject": "Call", "contact_id": ana.pk}
        log([facts | {"due_at": start + timedelta(minutes=n)} for n in range(count)], by=actor("manager"))
        by = actor("manager")
        with CaptureQueriesContext(connection) as captured:
            postpone(ana.activities.all(), day=datetime(2027, 4, 1).date(), by=by)
        counts.append(len(captured))
        moved = {datetime(2027, 4, 1, 9, n, tzinfo=BERLIN) for n in range(count)}
        assert {*ana.activities.values_list("due_at", flat=True)} == moved
        undo(by.change, by=actor("manager"))
        assert ana.activities.filter(due_at__lt=datetime(2027, 3, 2, tzinfo=UTC)).count() == count
    assert counts[0] == counts[1]


def test_what_is_planned_did_not_occur(sign_in, acme):
    """As when a page without JavaScript shows the fields of all kinds."""
    facts = {"kind": "task", "subject": "x", "contact": make_contact().public_id, "occurred_at": "2020-01-01T10:00"}
    sign_in("rep").post("/activity/new", facts | {"due_at": "2030-01-01T10:00"})
    planned = Activity.objects.get()
    assert (planned.status, planned.occurred_at, planned.at) == ("pending", None, planned.due_at)


@pytest.mark.parametrize(
    "edited", [{"body": "Ask for Bo"}, {"subject": "Call Bo"}, {"due_at": datetime(2027, 3, 9, tzinfo=UTC)}]
)
def test_a_completion_stays_while_the_next_has_changed(actor, acme, edited):
    """Completing it again planned a second one."""
    current, first, second = (
        task(actor, datetime(2027, 3, 1, 9, tzinfo=UTC), "weekly"),
        actor("manager"),
        actor("manager"),
    )
    with clock.at(current.due_at):
        complete(rows(current), by=first)
    edit_activity(Activity.objects.filter(status="pending"), edited, by=second)
    with pytest.raises(Refused, match="changed since then"):
        undo(first.change, by=actor("manager"))
    undo(second.change, by=actor("manager"))
    undo(first.change, by=actor("manager"))
    assert list(Activity.objects.values_list("pk", "status")) == [(current.pk, "pending")]


def test_a_completion_is_undone_once_the_next_was_deleted(actor, acme):
    current, by = task(actor, datetime(2027, 3, 1, 9, tzinfo=UTC), "weekly"), actor("manager")
    with clock.at(current.due_at):
        complete(rows(current), by=by)
    delete_activity(Activity.objects.filter(status="pending"), by=actor("manager"))
    undo(by.change, by=actor("manager"))
    assert list(Activity.objects.live().values_list("pk", "status")) == [(current.pk, "pending")]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_completed_by_two_at_once_the_next_is_planned_once(actor, acme):
    current = task(actor, datetime(2027, 3, 1, 9, tzinfo=UTC), "weekly", participants=[make_contact().pk])
    done, errors = at_once(acme, [lambda: complete(rows(current), by=actor("manager")) for _ in range(3)])
    assert (errors, sorted(len(outcome.done) for outcome in done)) == ([], [0, 0, 1])
    assert Activity.objects.filter(status="pending").count() == 1
