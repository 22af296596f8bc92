"""An opportunity from its creation on the contact's page over the board to a new customer."""

import pytest
from playwright.sync_api import expect

from contacts.models import Contact
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.create import create

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def column(page, stage):
    return page.locator(f"[data-column={stage}]")


@pytest.fixture
def deal(add, actor) -> Opportunity:
    """Return 120 vans for Ana Ruiz, owned by the rep."""
    ana = add("Ana Ruiz")
    made = create([{"name": "120 vans", "contact": ana.pk, "amount": "48000"}], by=actor("rep"))
    return Opportunity.objects.get(pk=made.done[0])


def test_from_the_contact_over_the_board_to_a_customer_and_back(visit, add, sign_in):
    ana = add("Ana Ruiz")
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    page.get_by_role("link", name="New opportunity", exact=True).click()
    page.get_by_label("Name").fill("120 vans")
    page.get_by_label("Amount").fill("48000")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator(".record-state .badge")).to_have_text("Prospecting")
    expect(page.locator(".record-head")).to_contain_text("Ana Ruiz")

    page.goto("/opportunity")
    page.get_by_role("link", name="Board", exact=True).click()
    card = page.locator(".board-card", has_text="120 vans")
    expect(column(page, "prospecting")).to_contain_text("€48,000")
    card.drag_to(column(page, "proposal"))
    expect(page.locator(".toast")).to_contain_text("120 vans moved to Proposal.")
    expect(column(page, "proposal").locator(".board-card")).to_have_count(1)
    expect(column(page, "proposal")).to_contain_text("€24,000 weighted")

    card.get_by_label("Move 120 vans").click()
    card.get_by_role("button", name="Negotiation").click()
    expect(column(page, "negotiation").locator(".board-card")).to_have_count(1)
    card.drag_to(column(page, "won"))
    expect(page.locator(".toast", has_text="moved to Won")).to_be_visible()
    assert Contact.objects.get(pk=ana.pk).lifecycle_stage == "customer"

    page.goto(ana.get_absolute_url())
    expect(page.locator(".record-title .badge")).to_have_text("Customer")
    line = page.locator(".timeline li").first
    expect(line).to_contain_text("marked this contact as a customer (Lead → Customer)")
    expect(line).to_contain_text("120 vans")
    line.get_by_role("button", name="Undo").click()
    expect(page.locator(".record-title .badge")).to_have_text("Lead")
    expect(page.get_by_label("Related to Ana Ruiz")).to_contain_text("Negotiation")


def test_losing_the_last_one_asks_what_becomes_of_the_contact(visit, deal, sign_in):
    page = visit("/opportunity/board?view=all", client=sign_in("rep"))
    page.locator(".board-card").drag_to(column(page, "lost"))
    expect(page.get_by_text("This was Ana Ruiz’s last open opportunity")).to_be_visible()
    page.get_by_label("Reason").fill("Chose a competitor")
    page.get_by_label("Mark as Lost").check()
    page.get_by_role("button", name="Lost").click()
    expect(column(page, "lost").locator(".board-card")).to_have_count(1)
    assert Contact.objects.get(name="Ana Ruiz").lifecycle_stage == "lost"
    page.get_by_role("link", name="120 vans").click()
    expect(page.locator(".record-side")).to_contain_text("Chose a competitor")
    expect(page.locator(".why-not")).to_have_text("Closed. A manager or admin can reopen it.")


def test_a_board_works_without_javascript(visit, deal, sign_in):
    page = visit("/opportunity/board", client=sign_in("rep"), javascript=False)
    page.locator(".board-card summary").click()
    page.get_by_role("button", name="Qualification").click()
    expect(column(page, "qualification").locator(".board-card")).to_have_count(1)
    page.goto(deal.get_absolute_url())
    page.locator(".steps").get_by_role("button", name="Negotiation").click()
    expect(page.locator(".record-state .badge")).to_have_text("Negotiation")
