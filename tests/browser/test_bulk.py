"""Bulk actions: assign, undo, refuse."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_worthy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def owners(page):
    return page.locator("td:nth-child(6)").all_inner_texts()


def assign(page, who):
    page.locator(".bulk").get_by_role("button", name="Assign").click()
    page.get_by_label("Owner").select_option(label=who)
    page.get_by_role("button", name="Assign").click()


def test_assign_three_and_undo(visit, add, sign_in):
    for name in ("Ana", "Bruno", "Carla", "Dele"):
        add(name)
    page = visit("/contact?view=all", client=sign_in("rep"))
    for name in ("Ana", "Bruno", "Carla"):
        page.get_by_label(f"Select {name}").check()
    expect(page.locator(".bulk-count")).to_have_text("Selected: 3")
    assign(page, "Mate")
    toast = page.locator(".toast", has_text="Assigned: 3 records.")
    expect(toast).to_be_visible()
    assert sorted(owners(page)) == ["Mate", "Mate", "Mate", "Rep"]
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast", has_text="Undone")).to_be_visible()
    assert owners(page) == ["Rep"] * 4


def test_everything_that_matches(visit, add, sign_in):
    for number in range(53):
        add(f"Person {number:02}", source="web" if number else "fair")
    page = visit("/contact?view=all&where=source+%3D+web", client=sign_in("rep"))
    page.locator("[data-select]").first.check()
    page.get_by_label("Select all 52 matching").check()
    expect(page.locator(".bulk-count")).to_have_text("Selected: 52")
    assign(page, "Mate")
    expect(page.locator(".toast", has_text="Assigned: 52 records.")).to_be_visible()
    page.goto("/contact?view=all&where=owner+%3D+me")
    expect(page.locator("tr[data-row]")).to_have_count(1)


def test_refused_rows_stay_ticked_and_say_why(visit, add, sign_in):
    make_worthy(add("Ana", email="ana@fleetly.example"))
    add("Bruno")
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.get_by_label("Select all on this page").check()
    page.locator(".bulk").get_by_role("button", name="Stage").click()
    page.get_by_label("Move to").select_option(value="qualify")
    page.get_by_role("button", name="Stage").click()
    expect(page.locator(".toast", has_text="Stage changed: 1 record.")).to_be_visible()
    expect(page.locator(".toast", has_text="Bruno. Email required for qualification")).to_be_visible()
    expect(page.get_by_label("Select Bruno")).to_be_checked()
    expect(page.get_by_label("Select Ana")).not_to_be_checked()


def test_edit_one_field_of_many(visit, add, sign_in):
    add("Ana")
    add("Bruno")
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.get_by_label("Select all on this page").check()
    page.locator(".bulk").get_by_role("button", name="Edit").click()
    page.get_by_label("Field").select_option(label="Role")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Role").select_option(label="Champion")
    page.get_by_role("button", name="Edit").click()
    expect(page.locator(".toast", has_text="Updated: 2 records.")).to_be_visible()


def test_the_trash_gives_back(visit, add, sign_in):
    ana = add("Ana")
    page = visit(f"{ana.get_absolute_url()}/delete", client=sign_in("rep"))
    page.get_by_label("Reason").fill("Twice")
    page.get_by_role("button", name="Move to trash").click()
    expect(page.locator(".notice")).to_contain_text("In the trash")
    page.goto("/contact?view=trash")
    page.get_by_label("Select Ana").check()
    page.locator(".bulk").get_by_role("button", name="Restore").click()
    expect(page.locator(".toast", has_text="Restored: 1 record.")).to_be_visible()
