"""The main flow: a contact moves through the lifecycle, and the timeline shows every step."""

import pytest
from playwright.sync_api import expect

from tests.conftest import PASSWORD
from tests.factories import make_worthy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def badge(page):
    return page.locator(".record-title .badge")


def do(page, verb):
    page.locator(".verbs").get_by_role("button", name=verb, exact=True).click()


def test_from_lead_to_customer(visit, add, cast):
    make_worthy(add("Ana Ruiz"))
    page = visit("/contact?view=contacts_leads")
    page.get_by_label("Email").fill("rep@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Active Leads")).to_be_visible()
    page.get_by_role("link", name="Ana Ruiz").click()
    expect(badge(page)).to_have_text("Lead")

    expect(page.locator(".verbs").get_by_role("button", name="Qualify")).to_be_disabled()
    expect(page.locator(".why-not").first).to_have_text("Qualify · Email required for qualification")
    page.get_by_text("empty fields").click()
    page.get_by_label("Edit Email").click()
    page.locator("form.fact").get_by_label("Email").fill("ana@fleetly.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="ana@fleetly.example")).to_be_visible()

    do(page, "Qualify")
    expect(badge(page)).to_have_text("Qualified")
    expect(badge(page)).to_have_class("badge tone-blue")
    expect(page.locator(".toast")).to_contain_text("Ana Ruiz moved to Qualified.")
    sentence = page.locator(".timeline li").first
    expect(sentence).to_contain_text("Rep qualified this contact (Lead → Qualified)")

    do(page, "Mark as customer")
    expect(badge(page)).to_have_text("Customer")
    expect(badge(page)).to_have_class("badge tone-green")


def test_the_audit_log_in_the_admin_tells_the_same(visit, add, sign_in):
    ana = make_worthy(add("Ana Ruiz", email="ana@fleetly.example"))
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    do(page, "Qualify")
    expect(badge(page)).to_have_text("Qualified")
    page = visit("/admin/audit/entry/", client=sign_in("admin"))
    expect(page.locator("#result_list")).to_contain_text("contact.qualified")


def test_losing_asks_why_and_only_a_manager_reopens(visit, add, sign_in):
    ana = add("Ana Ruiz")
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    page.get_by_role("group", name="Actions", exact=True).get_by_role("link", name="Mark as lost…").click()
    page.get_by_label("Reason").fill("Chose a competitor")
    page.get_by_role("button", name="Lost").click()
    expect(badge(page)).to_have_text("Lost")
    expect(badge(page)).to_have_class("badge tone-red")
    expect(page.locator(".timeline")).to_contain_text("Chose a competitor")
    assert page.get_by_role("link", name="Reopen…").count() == 0

    page = visit(ana.get_absolute_url(), client=sign_in("manager"))
    page.get_by_role("link", name="Reopen…").click()
    page.get_by_label("Reason").fill("Asked for a new offer")
    page.get_by_role("button", name="Reopen").click()
    expect(badge(page)).to_have_text("Lead")


def test_the_badge_shows_the_evidence(visit, add, sign_in):
    ana = add("Ana Ruiz")
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    page.locator(".record-title summary").click()
    leaf = page.locator(".evidence li", has_text="Email").first
    expect(leaf).to_contain_text("✗")
    expect(leaf).to_contain_text("empty")


def test_a_move_can_be_undone_from_the_toast(visit, add, sign_in):
    ana = make_worthy(add("Ana Ruiz", email="ana@fleetly.example"))
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    do(page, "Qualify")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast", has_text="Undone")).to_be_visible()
    expect(badge(page)).to_have_text("Lead")
