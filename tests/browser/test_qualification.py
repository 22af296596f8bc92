"""A lead on its board: drag and drop only where a verb allows; a waived exception."""

import pytest
from playwright.sync_api import expect

from contacts.verbs.lose import lose
from leads.models import Lead
from tests.factories import rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def column(page, status):
    return page.locator(f"[data-column={status}]")


def test_a_lead_is_dragged_only_where_a_verb_leads(visit, add, sign_in):
    ana = add("Ana Ruiz")
    page = visit("/qualification/board?view=all", client=sign_in("rep"))
    card = page.locator(".board-card", has_text="Ana Ruiz")
    expect(card).to_contain_text("in 23 h")
    card.drag_to(column(page, "qualified"))
    expect(column(page, "new").locator(".board-card")).to_have_count(1)
    card.drag_to(column(page, "working"))
    expect(column(page, "working").locator(".board-card")).to_have_count(1)
    expect(page.locator(".toast")).to_be_visible()
    assert Lead.objects.get(contact=ana.pk).contacted_at
    card.drag_to(column(page, "lost"))
    page.get_by_label("Reason").fill("No budget")
    page.get_by_role("button", name="Mark as lost").click()
    expect(column(page, "lost").locator(".board-card")).to_contain_text("No budget")
    assert page.url.endswith("/qualification/board?view=all")


def test_the_board_works_without_javascript(visit, add, sign_in):
    add("Ana Ruiz")
    page = visit("/qualification/board", client=sign_in("rep"), javascript=False)
    page.locator(".board-card summary").click()
    page.get_by_role("button", name="Working").click()
    expect(column(page, "working").locator(".board-card")).to_have_count(1)
    page.locator(".board-card summary").click()
    page.get_by_role("link", name="Lost…").click()
    page.get_by_role("button", name="Mark as lost").click()
    expect(page.locator("[data-column=lost]")).to_be_visible()


def test_an_exception_goes_when_it_is_waived(visit, add, sign_in, actor):
    ana = add("Ana Ruiz")
    lose(rows(ana), by=actor("rep"))
    page = visit("/exceptions", client=sign_in("rep"))
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Dismiss Contact lost without a reason").click()
    page.get_by_label("Reason").fill("They moved to another country")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Dismissed").click()
    expect(page.locator("tbody")).to_contain_text("They moved to another country")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator("tbody tr")).to_have_count(2)
