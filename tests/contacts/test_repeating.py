"""Activities that repeat: what completing one plans, over clock changes and short months."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from audit.undo.undo import undo
from contacts.models import Activity, Participant
from contacts.verbs.complete import complete
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.log import log
from contacts.verbs.postpone import postpone
from crm.entities.values import zone
from crm.kit import clock
from crm.kit.errors import Invalid
from tests.factories import make_contact, rows

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
