"""Lead owners are notified once per change."""

import pytest

from contacts.models import Contact
from contacts.verbs.capture import capture
from crm.kit.actor import system
from crm.records.verbs.assign import assign
from leads.models import Lead
from leads.verbs.qualify import qualify
from leads.verbs.set_duties import set_duties
from tests.factories import make_contact

pytestmark = pytest.mark.usefixtures("acme")


def test_who_is_given_a_new_contact_s_lead_by_turn_hears_of_it_once(acme, cast, actor, told):
    set_duties({cast.rep.pk: (True, False)}, by=actor("admin"))
    capture([{"email": "ana@x.example"}], by=system(acme.pk), source="Form")
    assert told("rep") == [("assigned", Contact.objects.get().pk, 1)]


def test_a_lead_given_apart_from_its_contact_is_told(cast, actor, told):
    lead = Lead.objects.get(contact=make_contact(owner=cast.mate, by=cast.mate.actor("web")))
    assign(Lead.objects.filter(pk=lead.pk), cast.rep, by=actor("manager"))
    assert told("rep") == [("assigned", lead.pk, 1)]
    assert told("mate") == []


def test_the_owner_hears_when_leads_become_sales_qualified_together(cast, actor, told):
    people = [make_contact(owner=cast.rep, by=cast.rep.actor("web")) for _ in range(3)]
    leads = Lead.objects.filter(contact__in=people)
    qualify(leads, to="marketing_qualified", by=actor("manager"), reason="x")
    assert told("rep") == []
    qualify(leads, to="sales_qualified", by=actor("manager"), reason="x")
    assert told("rep") == [("sales_qualified", leads.order_by("pk").first().pk, 3)]
