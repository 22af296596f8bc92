"""Global search: results while typing, arrow keys, Enter; a page without scripts."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_results_appear_while_typing_and_the_arrows_walk(visit, add, fleetly, sign_in):
    ana = add("Ana Ruiz", company=fleetly.pk)
    page = visit("/", client=sign_in("rep"))
    page.keyboard.press("Control+k")
    page.keyboard.type("fleet")
    expect(page.locator(".search-results").get_by_role("link", name="Fleetly")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text("1 contact found, 1 company found")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ana.get_absolute_url()}")


def test_results_that_arrive_late_leave_the_focus_where_it_is(visit, add, fleetly, sign_in):
    ana = add("Ana Ruiz", company=fleetly.pk)
    page = visit("/", client=sign_in("rep"))
    page.keyboard.press("Control+k")
    page.keyboard.type("fleet")
    expect(page.locator(".search-results").get_by_role("link", name="Fleetly")).to_be_visible()
    link = page.locator(".search-results").get_by_role("link", name="Ana Ruiz")
    link.focus()
    with page.expect_response("**/search?q=fleetl"):
        typed = "field.value = 'fleetl'; field.dispatchEvent(new Event('input', {bubbles: true}))"
        page.locator("[data-search]").evaluate(f"(field) => {{ {typed} }}")
    expect(page.locator(".search-results a").first).to_have_attribute("href", re.compile("fleetl"))
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ana.get_absolute_url()}")


def test_escape_closes_the_results(visit, add, sign_in):
    add("Ana Ruiz")
    page = visit("/", client=sign_in("rep"))
    page.keyboard.press("/")
    page.keyboard.type("ana")
    expect(page.locator(".search-results").get_by_role("link", name="Ana Ruiz")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".search-results")).to_be_hidden()


def test_nobody_is_found_and_enter_opens_the_page(visit, add, sign_in):
    add("Ana Ruiz")
    page = visit("/", client=sign_in("rep"))
    page.keyboard.press("/")
    page.keyboard.type("zzz")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No results for “zzz”").last).to_be_visible()


def test_a_company_is_completed_while_typing(visit, add, fleetly, sign_in):
    page = visit("/contact/new", client=sign_in("rep"))
    page.get_by_label("Company").press_sequentially("flee")
    option = page.locator("#options-id_company option").first
    expect(option).to_have_attribute("value", f"Fleetly ({fleetly.public_id})")
    page.get_by_label("Company").fill("Fleetly")
    page.get_by_label("Time zone").press_sequentially("madr")
    expect(page.locator("#options-id_timezone option").first).to_have_attribute("value", "Europe/Madrid")
    page.get_by_label("Name", exact=True).fill("Ana Ruiz")
    page.get_by_label("Time zone").fill("Europe/Madrid")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("complementary", name="Related to Ana Ruiz")).to_contain_text("Fleetly")
