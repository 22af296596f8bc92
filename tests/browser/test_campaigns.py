"""A campaign from a view to the unsubscribe link."""

import re

import pytest
from django.core import mail
from playwright.sync_api import expect

from contacts.models import Contact
from crm.campaigns.models import Campaign
from crm.events.engine import drain
from tests.browser import assert_accessible, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_view_a_campaign_and_the_way_out(visit, add, sign_in, acme, javascript):
    for name, title, consent in (("Ana Ruiz", "CFO", "Given"), ("Bo Berg", "CFO", ""), ("Cy Vega", "Buyer", "Given")):
        add(name, title=title, email=f"{name[:2].lower()}@x.example", marketing_consent=consent, first_name=name[:3])
    page = visit("/contact/view?view=all&where=title+%3D+CFO", client=sign_in("manager"), javascript=javascript)
    page.get_by_label("Name", exact=True).fill("Finance")
    page.get_by_label("Share with workspace").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto("/campaign")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Name", exact=True).fill("Spring offer")
    page.get_by_label("Segment").select_option(label="Finance")
    page.get_by_label("Subject").fill("An offer for {first_name}")
    page.get_by_label("Content").fill("Dear {name},\n\nspring is here.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Spring offer")).to_be_visible()
    page.get_by_role("button", name="Send test email").click()
    page.get_by_role("link", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Excluded")).to_contain_text("No marketing consent")
    if javascript:  # axe is a script itself
        assert_accessible(page)
    screenshot(page, "campaign send")
    page.get_by_role("button", name="Send to 1 contact").click()
    expect(page.locator(".record-facts .badge").first).to_have_text("Sending")
    drain()
    assert sorted(letter.subject for letter in mail.outbox) == ["An offer for Ana", "Test: An offer for Ana"]

    letter = next(letter for letter in mail.outbox if letter.to == ["an@x.example"])
    page.goto(re.search(r"https?://[^/]+(/unsubscribe/\S+)", letter.body)[1])
    assert Contact.objects.get(name="Ana Ruiz").status == "active"
    if javascript:  # axe is a script itself
        assert_accessible(page)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You’re unsubscribed")).to_be_visible()
    assert Contact.objects.get(name="Ana Ruiz").status == "unsubscribed"

    page.goto(Campaign.objects.get().get_absolute_url())
    people = page.get_by_role("region", name="Recipients of the campaign")
    expect(people.get_by_role("row", name="Ana Ruiz")).to_contain_text("Unsubscribed")
    expect(people.get_by_role("row", name="Bo Berg")).to_contain_text("No marketing consent")
    page.get_by_role("link", name="Excluded").click()
    expect(people).not_to_contain_text("Ana Ruiz")
    page.get_by_role("link", name="Bo Berg").click()
    expect(page.get_by_role("heading", name="Bo Berg")).to_be_visible()
