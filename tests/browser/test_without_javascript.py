"""All essential features work without scripts."""

import re

import pytest
from playwright.sync_api import expect

from contacts.models import Contact
from tests.conftest import PASSWORD
from tests.factories import make_company, make_worthy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def plain(visit, sign_in):
    """`plain(path)` opens the path as the rep, without scripts."""
    return lambda path: visit(path, client=sign_in("rep"), javascript=False)


def test_sign_in_create_edit_and_qualify(visit, cast, fleetly):
    page = visit("/contact/new", javascript=False)
    page.get_by_label("Email").fill("rep@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Ana Ruiz")
    page.get_by_label("Company").fill("fleetly")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Ana Ruiz created.")

    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_role("textbox", name="Email", exact=True).first.fill("ana@fleetly.example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Qualify · Lead score too low")).to_be_visible()
    make_worthy(Contact.objects.get())
    page.reload()
    page.get_by_role("button", name="Qualify", exact=True).click()
    expect(page.locator(".record-title .badge")).to_have_text("Qualified")

    page.get_by_text("Task", exact=True).click()
    page.get_by_label("Subject").fill("Send pricing")
    page.get_by_role("button", name="Create task").click()
    page.goto("/")
    expect(page.get_by_role("link", name="Send pricing")).to_be_visible()
    page.get_by_label("Complete Send pricing").click()
    expect(page.get_by_text("You’re all caught up.")).to_be_visible()


def test_the_company_of_an_email_is_offered(plain):
    make_company("Fleetly", domain="fleetly.example")
    page = plain("/contact/new")
    page.get_by_label("Name", exact=True).fill("Ana Ruiz")
    page.get_by_role("textbox", name="Email", exact=True).first.fill("ana@fleetly.example")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Fleetly was filled in because fleetly.example is its domain.")
    expect(page.get_by_label("Company")).to_have_value(re.compile("^Fleetly"))
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Ana Ruiz created.")
    expect(page.get_by_role("link", name="Fleetly").first).to_be_visible()


def test_assign_in_bulk_and_undo(plain, add):
    add("Ana")
    add("Bruno")
    page = plain("/contact?view=all")
    page.get_by_label("Select Ana").check()
    page.get_by_label("Select Bruno").check()
    page.locator(".bulk").get_by_role("button", name="Assign").click()
    page.get_by_label("Owner").select_option(label="Mate")
    page.get_by_role("button", name="Assign").click()
    toast = page.locator(".toast", has_text="Assigned: 2 records.")
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast", has_text="Undone")).to_be_visible()


def test_filter_search_and_columns(plain, add):
    add("Ana", role="champion")
    add("Bruno")
    page = plain("/contact?view=all")
    page.locator("summary", has_text="Filter").first.click()
    page.get_by_role("link", name="Add filter").click()
    page.get_by_label("Field").select_option(label="Role")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Champion").check()
    page.get_by_role("button", name="Add filter").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("link", name="Edit columns").click()
    page.get_by_label("Title", exact=True).check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("columnheader", name="Title")).to_be_visible()
    page.get_by_role("searchbox", name="Search", exact=True).fill("bruno")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Bruno").click()
    expect(page.get_by_role("heading", name="Bruno", level=1)).to_be_visible()


def test_page_through_and_count(plain, acme, actor):
    from contacts.verbs.create import create

    create([{"name": f"Person {number:04}"} for number in range(1010)], by=actor("rep"))
    page = plain("/contact?view=all&sort=name")
    expect(page.locator(".pager")).to_contain_text("1–50 of 1,000+")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("td.name").first).to_contain_text("Person 0050")
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("td.name").first).to_contain_text("Person 0000")
    page.get_by_role("link", name="1,000+").click()
    expect(page.locator(".big")).to_have_text("1,010")


def test_a_field_has_a_page_of_its_own(plain, add):
    ana = add("Ana", title="Buyer")
    page = plain(ana.get_absolute_url())
    page.get_by_label("Edit Title").click()
    page.get_by_label("Title").fill("Director")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Details")).to_contain_text("Director")
    page.locator(".record-title summary").click()
    expect(page.locator(".evidence")).to_contain_text("Email")


def test_every_figure_of_the_dashboard(plain, add):
    add("Ana")
    page = plain("/dashboard")
    page.get_by_role("link", name="Load all cards").click()
    stages = page.locator(
        "section.dash-part", has=page.get_by_role("heading", name="Contacts by lifecycle stage", exact=True)
    )
    stages.get_by_role("row", name="Lead").get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_role("link", name="Ana", exact=True)).to_be_visible()


def test_a_prerequisite_is_tried_and_saved(visit, sign_in, add):
    page = visit("/settings/workflows/prerequisites/new/", client=sign_in("admin"), javascript=False)
    page.get_by_label("Action").select_option(label="Qualify")
    page.get_by_label("Condition").fill("title is not empty")
    page.get_by_label("Error message").fill("Say what they do.")
    page.get_by_role("button", name="Test on the last 200").click()
    expect(page.get_by_role("region", name="Test results")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("row", name="Say what they do.")).to_be_visible()
