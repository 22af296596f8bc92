"""The lead's pages, and its panel on the contact's, without JavaScript."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from crm.kit import clock
from crm.opportunities.models import Opportunity
from leads.models import Lead
from leads.verbs.convert import convert
from leads.verbs.lose_leads import lose_leads
from leads.verbs.qualify import qualify
from tests.factories import make_company, make_contact, rows
from tests.leads.factories import make_lead, ready, score

pytestmark = pytest.mark.once


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def rep(sign_in):
    return sign_in("rep")


def test_the_panel_says_where_the_lead_stands(acme, cast, rep, actor):
    contact = make_contact(owner=cast.rep, source="Expo")
    lead = make_lead(contact)
    score(lead, 412)
    qualify(rows(lead), to="marketing_qualified", by=actor("rep"), reason="They called us")
    Lead.objects.filter(pk=lead.pk).update(contact_by=clock.now() - timedelta(hours=2), estimated_value="1500")
    told = text(rep.get(contact.get_absolute_url()))
    for words in (
        "Status Working",
        "Qualification stage Marketing Qualified",
        "Next action Schedule discovery call",
        "Score 41.2 Fit 0 · engagement 0",
        "First contact overdue by 2 h",
        "Manually held at Marketing Qualified until",
        "They called us",
        "Can’t convert: Lead must be Sales Qualified to convert",
        "Source Expo",
        "€1,500",
    ):
        assert words in told
    with clock.at(clock.now() + timedelta(days=15)):
        assert "held at" not in text(rep.get(contact.get_absolute_url()))


def test_the_panel_lists_earlier_cycles_and_opens_a_new_one(acme, cast, rep, actor):
    contact = make_contact("Ana Ruiz", owner=cast.rep)
    lose_leads(rows(make_lead(contact)), by=actor("rep"), reason="No budget")
    page = rep.get(contact.get_absolute_url())
    assert "No open lead" in text(page) and "No budget" in text(page)
    [way] = re.findall(r'href="(/qualification/new[^"]+)"', page.content.decode())
    form = rep.get(way)
    assert f"Ana Ruiz ({contact.public_id})" in form.content.decode()
    rep.post("/qualification/new", {"contact": contact.public_id, "fleet_size": "40", "currency": "EUR"})
    assert Lead.objects.open().get(contact=contact).fleet_size == 40
    again = rep.post("/qualification/new", {"contact": contact.public_id, "currency": "EUR"})
    assert again.status_code == 422 and "already has an open lead" in text(again)


def test_who_cannot_see_the_lead_sees_no_panel_of_it(acme, cast, sign_in):
    contact = make_contact()
    Lead.objects.filter(contact=contact).update(team=cast.nordics, source="Secret")
    assert "Secret" not in text(sign_in("rep").get(contact.get_absolute_url()))
    assert sign_in("rep").get(Lead.objects.get().get_absolute_url()).status_code == 404


@pytest.mark.parametrize("origin, back", [("", "lead"), ("contact", "contact")])
def test_moves_lead_back_to_where_they_were_made(origin, back, acme, cast, rep):
    contact = make_contact(owner=cast.rep)
    lead = make_lead(contact)
    home = {"lead": lead, "contact": contact}[back].get_absolute_url()
    onward = {"next": home} if origin else {}
    made = rep.post(reverse("lead_move", args=[lead.public_id, "first_contact"]), onward)
    assert (made.status_code, made["Location"]) == (302, home)
    lead.refresh_from_db()
    assert lead.status == "working"
    asked = rep.get(reverse("lead_move", args=[lead.public_id, "qualify"]), onward)
    assert "for 14 days" in text(asked)
    values = {"to": "sales_qualified", "reason": "Called", **onward}
    assert rep.post(reverse("lead_move", args=[lead.public_id, "qualify"]), values)["Location"] == home
    lead.refresh_from_db()
    assert (lead.status, lead.stage) == ("qualified", "sales_qualified")


def test_a_move_without_its_reason_is_asked_for_again(acme, cast, rep):
    lead = make_lead(make_contact(owner=cast.rep))
    again = rep.post(reverse("lead_move", args=[lead.public_id, "qualify"]), {"to": "sales_qualified"})
    assert again.status_code == 422
    assert rep.get(reverse("lead_move", args=[lead.public_id, "win"])).status_code == 404
    assert Lead.objects.get(pk=lead.pk).stage == "top_of_funnel"


def test_the_convert_page_shows_what_it_will_make_and_makes_it(acme, cast, rep):
    lead = ready(company=make_company("Metro"), owner=cast.rep, source="Expo")
    Lead.objects.filter(pk=lead.pk).update(estimated_value="1500")
    url = reverse("lead_convert", args=[lead.public_id])
    page = rep.get(url)
    assert 'value="Metro, Expo"' in page.content.decode() and 'value="1500"' in page.content.decode()
    assert "Stage Qualification" in text(page) and not Opportunity.objects.exists()
    assert rep.post(url, {"name": ""}).status_code == 422
    made = rep.post(url, {"name": "Metro, 40 vans", "amount": "900", "close_date": "2027-01-31"})
    deal = Opportunity.objects.get()
    assert made["Location"] == deal.get_absolute_url()
    assert (deal.name, deal.amount, str(deal.close_date), deal.stage) == (
        "Metro, 40 vans", 900, "2027-01-31", "qualification",
    )  # fmt: skip
    assert rep.post(url, {"name": "Twice"})["Location"] == rep.get(url)["Location"] == deal.get_absolute_url()
    assert Opportunity.objects.count() == 1


def test_a_manager_takes_a_conversion_back_from_the_toast(acme, cast, sign_in):
    lead, client = ready(), sign_in("manager")
    page = client.post(reverse("lead_convert", args=[lead.public_id]), {"name": "Vans"}, follow=True)
    [undo] = set(re.findall(r'action="(/undo/[^"]+)"', page.content.decode().split("<main")[-1]))
    client.post(undo)
    lead.refresh_from_db()
    assert lead.status == "qualified" and not Opportunity.objects.exists()


def test_the_convert_page_says_why_not(acme, cast, rep):
    lead = make_lead(make_contact(owner=cast.rep))
    page = rep.get(reverse("lead_convert", args=[lead.public_id]))
    assert "Lead must be Sales Qualified to convert" in text(page) and ">Convert</button>" not in page.content.decode()
    refused = rep.post(reverse("lead_convert", args=[lead.public_id]), {"name": "Vans"})
    assert refused.status_code == 409 and not Opportunity.objects.exists()


def test_its_facts_are_edited_its_trash_is_its_own(acme, cast, rep):
    lead = make_lead(make_contact("Ana Ruiz", owner=cast.rep))
    assert "Ana Ruiz" in text(rep.get(lead.get_absolute_url()))
    field = reverse("lead_field", args=[lead.public_id, "fleet_size"])
    assert rep.post(field, {"fleet_size": "40", "base-fleet_size": ""})["Location"] == lead.get_absolute_url()
    seen = {"currency": "EUR", "owner": cast.rep.pk, "fleet_size": "40"}
    values = seen | {f"base-{key}": value for key, value in seen.items()} | {"country": "AE"}
    assert rep.post(reverse("lead_edit", args=[lead.public_id]), values).status_code == 302
    lead.refresh_from_db()
    assert (lead.fleet_size, lead.country) == (40, "AE")
    rep.post(reverse("lead_delete", args=[lead.public_id]), {"reason": "Twice"})
    assert "In the trash" in text(rep.get(lead.get_absolute_url()))
    rep.post(reverse("lead_restore", args=[lead.public_id]))
    assert Lead.objects.get(pk=lead.pk).deleted_at is None


def test_completions_name_leads_by_their_contacts(acme, cast, rep):
    lead = make_lead(make_contact("Ana Ruiz", owner=cast.rep))
    assert f"Ana Ruiz ({lead.public_id})" in rep.get("/contact/options?entity=lead&q=ana").content.decode()


def test_an_opportunity_leads_back_to_its_lead_for_whoever_sees_that(acme, cast, rep, actor, sign_in):
    lead = ready(owner=cast.rep)
    convert(rows(lead), by=actor("rep"))
    deal = Opportunity.objects.get()
    assert f'href="{lead.get_absolute_url()}"' in rep.get(deal.get_absolute_url()).content.decode()
    Lead.objects.filter(pk=lead.pk).update(team=cast.nordics, owner=cast.outsider)
    assert lead.get_absolute_url() not in rep.get(deal.get_absolute_url()).content.decode()
