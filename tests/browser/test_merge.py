"""Merge two records of one person, and undo it."""

import pytest
from playwright.sync_api import expect

from contacts.verbs.log import log

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_merge_and_unmerge(visit, add, actor, sign_in):
    kept = add("Ana Ruiz", email="ana@fleetly.example", title="Fleet Manager")
    gone = add("Ana Ruiz", phone="+34 600 100 200", title="Buyer")
    log([{"kind": "note", "subject": "Signs in spring", "contact_id": gone.pk}], by=actor("rep"))

    page = visit(kept.get_absolute_url(), client=sign_in("rep"))
    page.get_by_label("More actions", exact=True).click()
    page.get_by_role("link", name="Merge duplicate").click()
    page.get_by_role("link", name="Compare with Ana Ruiz").click()
    page.get_by_label("Buyer").check()
    page.get_by_role("button", name="Merge").click()

    facts = page.get_by_label("Details")
    expect(facts).to_contain_text("+34 600 100 200")
    expect(facts).to_contain_text("Buyer")
    expect(page.locator(".timeline")).to_contain_text("Signs in spring")
    page.goto(gone.get_absolute_url())
    page.wait_for_url(f"**{kept.get_absolute_url()}")

    page.get_by_role("button", name="Unmerge").click()
    expect(page.locator(".toast", has_text="Undone")).to_be_visible()
    expect(facts).to_contain_text("Fleet Manager")
    expect(facts).not_to_contain_text("+34 600 100 200")
    page.goto(gone.get_absolute_url())
    expect(page.locator(".timeline")).to_contain_text("Signs in spring")
    expect(page.get_by_label("Details")).to_contain_text("+34 600 100 200")
