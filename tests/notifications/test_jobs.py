"""Scheduled notifications: due tasks, and the digest at eight in the recipient's morning."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from contacts.verbs.complete import complete
from contacts.verbs.edit_activity import edit_activity
from crm.kit import clock
from crm.notifications.handlers import mail_digest
from crm.notifications.inbox import mark_read
from crm.notifications.jobs import make_digests, tell_due
from crm.notifications.models import Digest, Notification
from crm.notifications.verbs.choose_channels import choose_channels
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.restore import restore
from crm.users.models import User
from tests.factories import make_activity, make_contact, rows

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("acme")


def task(cast, due=NOW, who="rep", **about):
    about = about or {"contact": make_contact()}
    return make_activity("Call", kind="task", owner_id=getattr(cast, who).pk, due_at=due, **about)


def test_a_task_is_told_when_it_is_due_and_once(cast, told):
    call = task(cast)
    tell_due(NOW - timedelta(minutes=1))
    assert told("rep") == []
    for minutes in (0, 1, 60):
        tell_due(NOW + timedelta(minutes=minutes))
    assert told("rep") == [("task_due", call.pk, 1)]
    assert Notification.objects.get().at == NOW


def test_another_due_date_and_another_assignee_are_told_again(cast, actor, told):
    call = task(cast)
    tell_due(NOW)
    edit_activity(rows(call), {"due_at": NOW + timedelta(hours=1)}, by=actor("manager"))
    tell_due(NOW + timedelta(minutes=1))
    assert len(told("rep")) == 1
    tell_due(NOW + timedelta(hours=1))
    edit_activity(rows(call), {"assignee": cast.mate}, by=actor("manager"))
    tell_due(NOW + timedelta(hours=1))
    assert len(told("rep")) == 2
    assert len(told("mate")) == 1


@pytest.mark.parametrize("reminder, before", [("15", 15), ("60", 60), ("1440", 1440), ("10080", 10080)])
def test_a_reminder_comes_before_it_is_due_and_once(cast, told, reminder, before):
    call = task(cast, NOW + timedelta(minutes=before), reminder=reminder, contact=make_contact())
    tell_due(NOW - timedelta(minutes=1))
    assert told("rep") == []
    for minutes in (0, 1, before, before + 60):
        tell_due(NOW + timedelta(minutes=minutes))
    assert told("rep") == [("task_due", call.pk, 1)]
    assert Notification.objects.get().at == NOW


def test_without_a_reminder_nothing_is_told_and_postponed_it_is_told_again(cast, actor, told):
    task(cast, NOW, reminder="", contact=make_contact())
    call = task(cast, NOW + timedelta(minutes=15), reminder="15", contact=make_contact())
    tell_due(NOW)
    edit_activity(rows(call), {"due_at": NOW + timedelta(hours=2)}, by=actor("manager"))
    tell_due(NOW + timedelta(hours=1))
    assert len(told("rep")) == 1
    tell_due(NOW + timedelta(minutes=106))
    assert len(told("rep")) == 2


def test_what_is_about_a_record_in_the_trash_is_told_once_that_is_restored(cast, actor, told):
    call = task(cast)
    delete(rows(call.contact), by=actor("manager"), reason="left")
    tell_due(NOW)
    assert told("rep") == []
    restore(rows(call.contact), by=actor("manager"))
    tell_due(NOW + timedelta(hours=1))
    assert len(told("rep")) == 1


def test_what_is_done_unseen_long_overdue_or_of_nobody_is_not_told(cast, actor):
    complete(rows(task(cast)), by=actor("manager"))
    task(cast, who="outsider", contact=make_contact(team=cast.iberia.pk))
    task(cast, NOW - timedelta(days=2))
    make_activity("Call", kind="task", owner_id=None, due_at=NOW, contact=make_contact())
    tell_due(NOW)
    assert not Notification.objects.exists()


def assigned_at(moment, cast, actor, who="rep"):
    with clock.at(moment):
        assign(rows(make_contact("Ana Ruiz")), getattr(cast, who), by=actor("manager"))


@pytest.fixture
def daily(cast, actor):
    """Give the rep, in Madrid (an hour ahead of UTC), assignments in the daily digest."""
    choose_channels({"assigned": "digest"}, by=actor("rep"))
    User.objects.filter(pk=cast.rep.user_id).update(timezone="Europe/Madrid")


def days() -> list[str]:
    return [str(day) for day in Digest.objects.order_by("day").values_list("day", flat=True)]


def test_the_daily_mail_is_made_at_eight_local_time_once_a_day(daily, cast, actor, published):
    assigned_at(NOW - timedelta(hours=20), cast, actor)
    make_digests(NOW.replace(hour=6))  # seven in Madrid
    assert days() == []
    make_digests(NOW.replace(hour=7))
    assert days() == ["2026-11-20"]
    assigned_at(NOW.replace(hour=6, minute=30), cast, actor)  # created late
    make_digests(NOW.replace(hour=8))
    assert days() == ["2026-11-20"]
    make_digests(NOW.replace(hour=7) + timedelta(days=1))
    assert days() == ["2026-11-20", "2026-11-21"]
    assert len(published("digest.made")) == 2


def test_after_an_outage_the_mail_is_late_and_news_of_after_eight_wait(daily, cast, actor):
    assigned_at(NOW, cast, actor)
    make_digests(NOW.replace(hour=23))
    assert days() == []
    make_digests(NOW.replace(hour=15) + timedelta(days=1))
    assert days() == ["2026-11-21"]


def test_the_daily_mail_says_all_once_however_often_it_is_sent(daily, cast, actor, published):
    for hours in (20, 21):
        assigned_at(NOW - timedelta(hours=hours), cast, actor)
    make_digests(NOW)
    (event,) = published("digest.made")
    for _ in range(2):
        mail_digest(event, by=actor("admin"))
    (message,) = mail.outbox
    assert message.to == ["rep@acme.example"]
    assert message.subject == "2 notifications from Acme Mobility"
    assert message.body.count("Manager assigned Ana Ruiz to you") == 2
    assert "19 Nov 2026, 14:00 CET" in message.body
    assert Digest.objects.get().sent_at
    assert not Notification.objects.to_mail().exists()


def test_what_was_read_meanwhile_is_not_mailed(daily, cast, actor, published):
    assigned_at(NOW - timedelta(hours=20), cast, actor)
    make_digests(NOW)
    mark_read(Notification.objects.all())
    mail_digest(published("digest.made")[0], by=actor("admin"))
    assert mail.outbox == []
