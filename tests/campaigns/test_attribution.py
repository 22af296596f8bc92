"""Attribution of leads to campaigns, and results."""

from datetime import timedelta

import pytest

from contacts.verbs.reopen import reopen
from crm.campaigns.models import CampaignPerson
from crm.kit import clock
from leads.campaigns import brought
from leads.models import Lead
from leads.verbs.create_leads import create_leads as open_lead
from leads.verbs.lose_leads import lose_leads as lose_lead
from tests.campaigns.test_campaigns import churned
from tests.factories import make_opportunity, rows


def left(name: str, actor, **values):
    """Return a churned contact with a closed first lead."""
    contact = churned(name, **values)
    lose_lead(Lead.objects.filter(contact=contact), by=actor("manager"), reason="x").or_raise()
    return contact


def came_back(contact, actor, days: int = 0) -> Lead:
    with clock.at(clock.now() + timedelta(days=days)):
        reopen(rows(contact), by=actor("manager"), reason="They wrote").or_raise()
    return Lead.objects.open().get(contact=contact)


@pytest.mark.parametrize(("days", "name"), [(0, "Spring"), (29, "Spring"), (31, "")])
def test_a_lead_within_thirty_days_is_put_down_to_the_campaign(days, name, sent, actor):
    ana = left("Ana", actor)
    made = sent()
    lead = came_back(ana, actor, days)
    assert lead.campaign == name
    assert ("spring" in lead.search_text) == bool(name)
    assert list(brought(made, actor("manager"))) == ([lead] if name else [])


def test_of_several_the_last_has_it(sent, actor):
    ana = left("Ana", actor)
    first, _ = sent(name="First"), sent(name="Second")
    CampaignPerson.objects.filter(campaign=first).update(sent_at=clock.now() - timedelta(days=3))
    assert came_back(ana, actor).campaign == "Second"
    assert not brought(first, actor("manager")).exists()


def test_who_got_no_mail_was_not_brought_by_it(sent, actor):
    churned("Ana")
    bo = left("Bo", actor, marketing_consent="")
    sent()
    assert came_back(bo, actor).campaign == ""


def test_a_lead_that_says_where_it_comes_from_keeps_it(sent, actor):
    ana = left("Ana", actor)
    sent()
    lose_lead(rows(came_back(ana, actor)), by=actor("manager"), reason="x")
    made = open_lead([{"contact": ana, "campaign": "Fair"}], by=actor("manager"))
    assert Lead.objects.get(pk=made.done[0]).campaign == "Fair"


def test_the_page_says_what_came_of_it(sent, actor, sign_in):
    ana, bo = left("Ana", actor), left("Bo", actor)
    made = sent()
    for contact, stage in ((ana, "won"), (bo, "prospecting")):
        lead, deal = came_back(contact, actor), make_opportunity(contact=contact, amount="1500", stage=stage)
        changes = {"status": "converted", "stage": "opportunity", "converted_date": clock.now(), "opportunity": deal}
        Lead.objects.filter(pk=lead.pk).update(**changes)
    page = sign_in("manager").get(made.get_absolute_url()).content.decode()
    panel = page[page.index("Results") :]
    assert "1,500" in panel
    assert "/qualification?" in panel
