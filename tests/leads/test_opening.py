import pytest
from django.db import IntegrityError, transaction

from contacts.models import Contact
from contacts.verbs.capture import capture
from contacts.verbs.lose import lose
from contacts.verbs.reopen import reopen
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit import clock
from leads.models import Lead
from tests.factories import make_contact, manager, rows


def matching(text: str) -> list[str]:
    condition = parse(text, "contact")
    return [c.name for c in Contact.objects.filter(condition.expression(Viewer.looking(manager()), clock.now()))]


def test_a_contact_that_is_made_gets_a_lead(acme):
    contact = make_contact("Ana", source="Trade fair")
    lead = Lead.objects.get(contact=contact)
    assert (lead.status, lead.stage, lead.source) == ("new", "top_of_funnel", "Trade fair")
    assert lead.created_at == contact.created_at


def test_who_is_captured_twice_has_one_lead(acme, actor):
    for _ in range(2):
        capture([{"email": "ana@example.com"}], by=actor("rep"), source="Form")
    assert Lead.objects.count() == 1


def test_reopening_opens_a_new_cycle_that_counts_from_the_end_of_the_last(acme, actor):
    contact = make_contact()
    lose(rows(contact), by=actor("manager"), reason="No budget")
    Lead.objects.filter(contact=contact).update(status="lost", lost_date=clock.now())
    reopen(rows(contact), by=actor("manager"), reason="New budget")
    old, new = Lead.objects.filter(contact=contact).order_by("pk")
    assert new.is_open and new.counts_from == old.status_since


def test_the_database_refuses_a_second_open_lead(acme):
    lead = Lead.objects.get(contact=make_contact())
    lead.pk, lead.public_id = None, "lead_000000000"
    with pytest.raises(IntegrityError), transaction.atomic():
        lead.save()


def test_conditions_read_the_open_lead_else_the_latest(acme):
    contact = make_contact("Ana")
    assert matching("lead.status = New") == matching("any leads (stage = Top of Funnel)") == ["Ana"]
    Lead.objects.filter(contact=contact).update(status="lost", lost_date=clock.now())
    assert matching("lead.status = Lost") == matching("lead_score = 0") == ["Ana"]
    assert matching("lead.status = New") == []
