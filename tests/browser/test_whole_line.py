"""One person from form over score, conversion and board to customer (source 003; DESIGN 1.2, 1.3)."""

import pytest
from playwright.sync_api import expect

from contacts.models import Contact
from contacts.verbs.capture import capture
from contacts.verbs.create_company import create_company
from crm.opportunities.models import Opportunity

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ana(acme, actor) -> Contact:
    """Return a contact that requested a demo on the website; the company exists."""
    create_company([{"name": "Fleetly"}], by=actor("rep"))
    asked = {"name": "Ana Ruiz", "email": "ana@fleetly.example", "company": "Fleetly", "role": "decision_maker"}
    return Contact.objects.get(pk=capture([asked], by=actor("rep"), source="Demo form").done[0])


def write_down(page, kind: str, **fields: str) -> None:
    """Add an activity by a record's form."""
    composer = page.locator(".composer")
    composer.get_by_text(kind, exact=True).click()
    for name, value in fields.items():
        field = composer.locator(f"[name={name}]")
        field.select_option(value) if name == "outcome" else field.fill(value)
    composer.locator("button").click()
    expect(page.locator(".timeline")).to_contain_text(fields["body"])


def test_from_a_form_to_a_customer(visit, ana, sign_in):
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    panel = page.get_by_role("region", name="Lead", exact=True)
    expect(panel).to_contain_text("engagement 40")
    expect(panel).to_contain_text("Top of Funnel")

    panel.get_by_role("link", name="Edit lead").click()
    page.get_by_label("Fleet size").fill("260")
    page.get_by_label("Country").fill("DE")
    page.get_by_label("Estimated value").fill("36000")
    page.get_by_role("button", name="Save").click()
    page.goto(ana.get_absolute_url())
    expect(panel).to_contain_text("Fit 60")
    expect(panel).to_contain_text("Marketing Qualified")

    write_down(page, "Call", body="Spoke about 260 vans", outcome="connected")
    page.reload()
    expect(panel).to_contain_text("Marketing Qualified")
    expect(panel).to_contain_text("Can’t convert: Lead must be Sales Qualified to convert")
    write_down(page, "Meeting", body="Visit in Hamburg", occurred_at="2026-12-01T10:00")
    page.reload()
    expect(panel).to_contain_text("Sales Qualified")
    expect(page.locator(".record-title .badge")).to_have_text("Qualified")

    panel.get_by_role("link", name="Convert…").click()
    expect(page.get_by_label("Amount")).to_have_value("36000")
    expect(page.get_by_role("main").locator("form.form")).to_contain_text("Fleetly")
    page.get_by_label("Name").fill("260 vans")
    page.get_by_role("button", name="Convert").click()
    expect(page.locator(".record-head")).to_contain_text("260 vans")
    assert Opportunity.objects.get().contact_id == ana.pk

    page.goto("/opportunity/board")
    page.locator(".board-card", has_text="260 vans").drag_to(page.locator("[data-column=won]"))
    expect(page.locator(".toast", has_text="moved to Won")).to_be_visible()
    page.goto(ana.get_absolute_url())
    expect(page.locator(".record-title .badge")).to_have_text("Customer")
    expect(panel).to_contain_text("Converted")
