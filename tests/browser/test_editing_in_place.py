"""In-place editing in a list and on a record, by keyboard only."""

import pytest
from playwright.sync_api import expect

from contacts.models import Contact

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def two(add):
    """Create Bruno above Ana: latest activity comes first."""
    return add("Ana", source="fair"), add("Bruno", source="web")


def cell(page, row, heading):
    place = page.locator("thead th").all_inner_texts().index(heading)
    return page.locator("tr[data-row]").nth(row).locator("td").nth(place)


def test_e_opens_tab_goes_on_escape_leaves(visit, two, fleetly, sign_in):
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(cell(page, 0, "Email").locator("input[type=email]")).to_be_focused()
    page.keyboard.type("bruno@fleetly.example")
    page.keyboard.press("Tab")
    expect(cell(page, 0, "Email").get_by_role("link")).to_have_text("bruno@fleetly.example")
    expect(cell(page, 0, "Company").get_by_label("Company")).to_be_focused()
    page.keyboard.type("Fleetly")
    page.keyboard.press("Enter")
    expect(cell(page, 0, "Company").get_by_role("link")).to_have_text("Fleetly")
    expect(page.locator("#announcer")).to_have_text("Company saved.")
    expect(cell(page, 0, "Name").get_by_role("link")).to_be_focused()

    page.keyboard.press("e")
    expect(page.locator("form.cell-form")).to_be_visible()
    page.keyboard.type("nobody@nowhere.example")
    page.keyboard.press("Escape")
    expect(page.locator("form.cell-form")).to_have_count(0)
    expect(cell(page, 0, "Email")).to_have_text("bruno@fleetly.example")
    bruno = Contact.objects.get(name="Bruno")
    assert (bruno.email, bruno.company_id) == ("bruno@fleetly.example", fleetly.pk)


def test_a_double_click_edits_and_a_click_opens(visit, two, sign_in):
    page = visit("/contact?view=all", client=sign_in("rep"))
    cell(page, 1, "Source").dblclick()
    expect(cell(page, 1, "Source").get_by_label("Source")).to_have_value("fair")
    page.keyboard.type("referral")
    page.keyboard.press("Enter")
    expect(cell(page, 1, "Source")).to_have_text("referral")
    cell(page, 1, "Source").click()
    expect(page.get_by_role("heading", name="Ana", level=1)).to_be_visible()


def test_what_is_wrong_stands_below_the_cell(visit, two, sign_in):
    page = visit("/contact?view=all", client=sign_in("rep"), expected="422|Response Status")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(cell(page, 0, "Email").get_by_label("Email")).to_be_focused()
    page.keyboard.press("Tab")
    company = cell(page, 0, "Company")
    expect(company.get_by_label("Company")).to_be_focused()
    page.keyboard.type("Nowhere Ltd")
    page.keyboard.press("Enter")
    expect(company.locator(".errorlist")).to_have_text("No record named “Nowhere Ltd”.")
    expect(company.get_by_label("Company")).to_be_focused()


def test_what_is_somebody_elses_cannot_be_edited(visit, add, sign_in):
    add("Ana", by="outsider")
    page = visit("/contact?view=all", client=sign_in("rep"), expected="409|Response Status")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_contain_text("View only – you can’t edit this record.")


def test_a_fact_of_a_record(visit, add, sign_in):
    ana = add("Ana", title="Buyer")
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    pencil = page.get_by_label("Edit Title")
    pencil.focus()
    page.keyboard.press("Enter")
    expect(page.locator("form.fact").get_by_label("Title")).to_be_focused()
    page.keyboard.type("Director")
    page.keyboard.press("Enter")
    expect(pencil).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Title saved.")
    expect(page.locator(".record-head")).to_contain_text("Director")
    page.keyboard.press("Enter")
    expect(page.locator("form.fact").get_by_label("Title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(pencil).to_be_focused()


def test_from_record_to_record(visit, two, sign_in):
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.get_by_role("link", name="Bruno").click()
    expect(page.get_by_role("navigation", name="Position in list")).to_contain_text("1 of 2")
    page.keyboard.press("j")
    expect(page.get_by_role("navigation", name="Position in list")).to_contain_text("2 of 2")
    expect(page.get_by_role("heading", name="Ana", level=1)).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_role("heading", name="Bruno", level=1)).to_be_visible()


def test_each_kind_of_activity_asks_for_its_own(visit, add, sign_in):
    ana = add("Ana")
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    composer = page.get_by_role("form", name="Log activity")
    expect(composer.get_by_role("radio", name="Note")).to_be_checked()
    expect(composer.get_by_label("Duration (min)")).to_be_hidden()
    composer.get_by_text("Call", exact=True).click()
    composer.get_by_label("Duration (min)").fill("14")
    composer.get_by_label("Outcome").select_option("connected")
    composer.get_by_label("Text").fill("Wants an offer\nfor 120 vans")
    composer.get_by_role("button", name="Log call").click()
    line = page.locator(".timeline li").first
    expect(line).to_contain_text("logged a call: Wants an offer · 14 min · Connected")
    composer.get_by_text("Task", exact=True).click()
    composer.get_by_label("Subject").fill("Send pricing")
    composer.get_by_role("button", name="Create task").click()
    page.get_by_label("Complete Send pricing").click()
    expect(page.locator(".toast")).to_contain_text("“Send pricing” completed.")
