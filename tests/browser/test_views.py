"""Filters, saved views, columns, order and search of a list."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def three(add):
    return add("Ana", role="champion"), add("Bruno", role="blocker"), add("Carla", source="fair")


def names(page):
    return page.locator("td.name").all_inner_texts()


def test_a_filter_becomes_a_view(visit, three, sign_in):
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.locator("summary", has_text="Filter").first.click()
    page.get_by_label("Field").select_option(label="Role")
    page.get_by_label("Champion").check()
    page.get_by_role("button", name="Add filter").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.locator(".bar .chip").first).to_contain_text("Role")

    page.get_by_role("link", name="Save view").click()
    page.get_by_label("Name").fill("Our champions")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("View “Our champions” saved.")
    page.goto("/contact?view=all")
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Our champions").click()
    expect(page.get_by_role("link", name="Our champions")).to_have_attribute("aria-current", "page")
    expect(page.locator("tr[data-row]")).to_have_count(1)

    page.get_by_role("link", name="Remove filter").click()
    expect(page.locator("tr[data-row]")).to_have_count(3)
    page.goto("/contact?view=our-champions")
    page.get_by_label("View options").click()
    page.get_by_role("button", name="Delete view").click()
    expect(page.locator(".toast")).to_contain_text("View deleted")


def test_columns_and_order(visit, three, sign_in):
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Title", exact=True).check()
    page.get_by_label("Order of Title").fill("2")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("columnheader", name="Title")).to_be_visible()
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    assert [name.split()[-1] for name in names(page)] == ["Ana", "Bruno", "Carla"]
    page.locator("summary", has_text="Sort: Name").click()
    page.get_by_role("navigation", name="Sort by").get_by_role("link", name="Name").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")


def test_quick_filters_and_the_search_of_the_list(visit, three, sign_in):
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.locator("summary", has_text="Quick filters").click()
    page.get_by_label("Source").fill("fair")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.goto("/contact?view=all")
    page.get_by_role("searchbox", name="Search this list").fill("brun")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.get_by_role("searchbox", name="Search this list").fill("nobody at all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No results for “nobody at all”")).to_be_visible()


def test_a_condition_that_cannot_be_read_says_where(visit, three, sign_in):
    page = visit("/contact/filter", client=sign_in("rep"))
    page.get_by_label("Query").fill("Lifecycle Stag = Lead")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_contain_text("Lifecycle Stag")
    page.get_by_label("Query").fill("Lifecycle Stage = Lead and role = champion")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
