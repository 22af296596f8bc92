"""Two users edit one record without losing changes."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_both_values_side_by_side(visit, add, sign_in):
    ana = add("Ana Ruiz", team=None, title="Buyer")
    path = f"{ana.get_absolute_url()}/edit"
    first = visit(path, client=sign_in("rep"), expected="409")
    second = visit(path, client=sign_in("manager"))
    second.get_by_label("Title").fill("Fleet Manager")
    second.get_by_label("Department").fill("Operations")
    second.get_by_role("button", name="Save").click()
    expect(second.locator(".toast", has_text="Saved.")).to_be_visible()

    first.get_by_label("Title").fill("Director")
    first.get_by_label("Source").fill("Fair")
    first.get_by_role("button", name="Save").click()
    expect(first.get_by_role("alert")).to_contain_text("Nothing has been overwritten")
    row = first.locator(".conflict tr", has_text="Title")
    expect(row).to_contain_text("Director")
    row.get_by_label("Fleet Manager").check()
    first.get_by_role("button", name="Save").click()

    facts = first.get_by_label("Details")
    expect(facts).to_contain_text("Fleet Manager")
    expect(facts).to_contain_text("Operations")
    expect(facts).to_contain_text("Fair")


def test_a_field_edited_in_place_meets_the_other_value(visit, add, sign_in):
    ana = add("Ana Ruiz", title="Buyer")
    page = visit(ana.get_absolute_url(), client=sign_in("rep"), expected="422|Response Status")
    page.get_by_label("Edit Title").click()
    other = visit(f"{ana.get_absolute_url()}/field/title", client=sign_in("manager"))
    other.get_by_label("Title").fill("Director")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_label("Details")).to_contain_text("Director")
    page.get_by_label("Title", exact=True).fill("Head of Operations")
    page.keyboard.press("Enter")
    expect(page.locator("form.fact .errorlist")).to_contain_text("Someone changed this to “Director”.")
