"""Opportunities of a company without a contact."""

import pytest
from django.db import IntegrityError, transaction

from contacts.models import Activity
from crm.kit.errors import Invalid
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.create import create
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.reopen import reopen
from crm.opportunities.verbs.win import win
from tests.factories import make_company, rows


@pytest.fixture
def deal(acme, actor) -> Opportunity:
    fleetly = make_company("Fleetly")
    made = create([{"name": "Renewal", "company": fleetly, "amount": "500"}], by=actor("manager"))
    return Opportunity.objects.get(pk=made.done[0])


def test_it_needs_a_contact_or_a_company(acme, actor, deal):
    with pytest.raises(Invalid, match="Choose a contact or a company"):
        create([{"name": "Deal"}], by=actor("manager"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Opportunity.objects.filter(pk=deal.pk).update(company=None)


def test_it_moves_like_any_other(deal, actor):
    assert win(rows(deal), by=actor("manager")).done == [deal.pk]
    assert reopen(rows(deal), by=actor("manager"), reason="Mistake").done == [deal.pk]
    assert lose(rows(deal), by=actor("manager"), reason="Price", contacts="lose").done == [deal.pk]


def test_its_pages_name_the_company(deal, sign_in):
    manager = sign_in("manager")
    for url in (deal.get_absolute_url(), "/opportunity?view=all", "/opportunity/board?view=all", "/search?q=Renewal"):
        assert "Fleetly" in manager.get(url).content.decode(), url
    page = manager.get(deal.company.get_absolute_url()).content.decode()
    assert "/opportunity/new?company=" in page and "Renewal" in page
    assert "will become" not in manager.get(f"/opportunity/{deal.public_id}/win").content.decode()


def test_its_activities_are_the_companys(deal, sign_in):
    data = {"kind": "note", "subject": "Asked for a quote"}
    assert sign_in("manager").post(f"/opportunity/{deal.public_id}/activity", data).status_code == 302
    assert Activity.objects.get().company == deal.company
    assert "Asked for a quote" in sign_in("manager").get(deal.get_absolute_url()).content.decode()
