"""Writes of a move by cached SQL: actor, time and reason differ each time."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from audit.record import OutsideTransaction
from contacts.axes import LIFECYCLE
from contacts.models import Contact
from contacts.verbs.churn import churn
from crm.events import handlers
from crm.events.models import Event
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.registry import Registry
from crm.lifecycle.models import Transition
from crm.lifecycle.move import move
from crm.users.visibility import Locked, lock
from tests.lifecycle.test_table import NOON, standing_at

pytestmark = pytest.mark.django_db


def leave(contacts, by, reason="", after=timedelta()):
    """Churn the contacts at noon or later; return the outcome."""
    with clock.at(NOON + after):
        return churn(Contact.objects.filter(pk__in=[contact.pk for contact in contacts]), by=by, reason=reason)


def test_nothing_is_remembered_of_the_move_before(acme, actor, cast):
    people = [standing_at("customer") for _ in range(4)]
    first, second = actor("manager"), cast.rep.actor(Channel.API)
    leave(people[:1], first, "moved away", timedelta(days=1))
    leave(people[1:2], second, after=timedelta(days=2))
    leave(people[2:], second, "", timedelta(days=2))
    wrote = Transition.objects.filter(verb="churn").order_by("record_id")
    told = [(t.record_id, t.member_id, t.channel, t.change, t.reason, t.spent, t.at) for t in wrote]
    days = [timedelta(days=n) for n in (1, 2, 2, 2)]
    by, reasons = [first, second, second, second], ["moved away", "", "", ""]
    assert told == [
        (each.pk, who.member_id, who.channel, who.change, reason, spent, NOON + spent)
        for each, who, reason, spent in zip(people, by, reasons, days, strict=True)
    ]
    rows = Entry.objects.filter(change__in=[first.change, second.change]).order_by("entity_id")
    assert [row.new_values["lifecycle_stage"] for row in rows] == ["churned"] * 4
    assert [(row.entity_id, row.person, row.at) for row in rows] == [(t[0], t[0], t[-1]) for t in told]
    assert [entry.note for entry in Entry.objects.filter(event="contact.churned").order_by("pk")][:2] == [
        "moved away",
        None,
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_it_is_compiled_once_and_takes_few_statements(count, acme, actor, monkeypatch):
    people = [standing_at("customer") for _ in range(2 * count)]
    leave(people[:count], actor("manager"))
    monkeypatch.setattr("crm.lifecycle.move.update_statements", None)  # creates the statements
    with CaptureQueriesContext(connection) as asked:
        assert len(leave(people[count:], actor("manager")).done) == count
    sent = [each["sql"] for each in asked if each["sql"].split()[0] in ("SELECT", "WITH", "INSERT", "UPDATE")]
    assert len(sent) == (2 if connection.vendor == "postgresql" else 4)


def test_a_handler_that_came_later_is_told_of_what_comes_later(acme, actor, monkeypatch):
    people = [standing_at("customer") for _ in range(2)]
    monkeypatch.setattr(handlers, "_handlers", Registry("handler"))
    leave(people[:1], actor("manager"))
    wanting = handlers.Handler("late", lambda event, *, by: None, ("contact.churned",), "celery", outward=False)
    handlers._handlers.add("late", wanting)
    leave(people[1:], actor("manager"))
    told = Event.objects.filter(name="contact.churned")
    assert list(told.values_list("entity_id", "waiting")) == [(people[1].pk, True)]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_written(acme, actor):
    contact, by = standing_at("customer"), actor("manager")
    with transaction.atomic():
        locked = lock(Contact.objects.filter(pk=contact.pk), by)
    assert isinstance(locked, Locked)
    with pytest.raises(OutsideTransaction):
        move(locked, LIFECYCLE, "churn", by=by)
    assert not Transition.objects.filter(verb="churn").exists()
