"""Missed first contacts: recorded once, notified and listed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from crm.kit import clock
from crm.notifications.lines import lines
from crm.notifications.models import Notification
from leads.jobs import notice_overdue
from leads.models import Lead
from leads.verbs.first_contact import first_contact
from leads.verbs.lose_leads import lose_leads
from tests.factories import make_contact

NOW = timezone.now()
pytestmark = pytest.mark.usefixtures("acme")


def lead_of(hours: int, **values) -> Lead:
    """Return a lead created that many hours ago."""
    with clock.at(NOW - timedelta(hours=hours)):
        return Lead.objects.get(contact=make_contact(**values))


def told() -> set[tuple[str, int]]:
    found = Notification.objects.filter(kind="lead_overdue").values_list("recipient__user__name", "count")
    return {(name.lower(), count) for name, count in found}


def test_it_is_recorded_once_and_owner_and_managers_are_told(cast):
    late = lead_of(25, owner=cast.rep)
    lead_of(23, owner=cast.mate)
    for _ in range(2):
        notice_overdue(NOW)
    entry = Entry.objects.get(event="lead.overdue")
    assert (entry.entity_id, entry.severity, entry.member_id) == (late.pk, "warning", None)
    assert told() == {("rep", 1), ("manager", 1), ("admin", 1)}
    assert Notification.objects.filter(kind="lead_overdue").count() == 3


def test_many_at_once_are_told_together_and_lead_to_a_list_of_them(cast, actor, sign_in):
    for owner in (cast.rep, cast.rep, cast.mate):
        lead_of(30, owner=owner)
    notice_overdue(NOW)
    assert told() == {("rep", 2), ("mate", 1), ("manager", 3), ("admin", 3)}
    item = Notification.objects.get(recipient=cast.manager, kind="lead_overdue")
    (line,) = lines([item], actor("manager"))
    assert line.text == "First contact is overdue for 3 leads"
    assert "1–3 of 3" in sign_in("manager").get(line.url).content.decode()


def test_what_was_contacted_or_lost_in_time_is_not_late(actor):
    contacted, lost = lead_of(20), lead_of(20)
    first_contact(Lead.objects.filter(pk=contacted.pk), by=actor("manager"))
    lose_leads(Lead.objects.filter(pk=lost.pk), by=actor("manager"), reason="x")
    with clock.at(NOW + timedelta(hours=10)):
        notice_overdue(NOW)
    assert not Entry.objects.filter(event="lead.overdue").exists()


def test_a_lead_that_its_score_moved_on_still_wants_to_be_spoken_with():
    lead = lead_of(30)
    Lead.objects.filter(pk=lead.pk).update(status="working")
    notice_overdue(NOW)
    assert Entry.objects.filter(event="lead.overdue", entity_id=lead.pk).exists()


def test_a_notice_taken_while_somebody_makes_the_contact_is_not_doubled(actor):
    lead = lead_of(30)
    notice_overdue(NOW)
    first_contact(Lead.objects.filter(pk=lead.pk), by=actor("manager"))
    notice_overdue(NOW)
    assert Entry.objects.filter(event="lead.overdue").count() == 1
