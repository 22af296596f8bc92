"""A company's own process from nothing, in the browser alone: pipelines, fields, a file, and every page that counts."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from bench.own_process import FLEET, HEADER, SERVICE, read, rows
from crm.events.engine import drain
from crm.kit import formats
from tests.browser.test_workflows import add_step

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COUNT = 220
VERBAL = {"view": "all", "where": 'stage = "Verbal yes"'}


@pytest.fixture
def deals(tmp_path):
    """Return the file of the process, and its numbers."""
    file = tmp_path / "deals.csv"
    file.write_text("\n".join([HEADER, *rows(COUNT)]), encoding="utf-8")
    return file, read(file)


def fill_stages(page, name: str, stages, order):
    """Fill in the form of a pipeline: the stages in the order of its rows, and their places."""
    page.get_by_label("Name", exact=True).fill(name)
    for number, ((label, kind, percent), place) in enumerate(zip(stages, order, strict=True), 1):
        page.get_by_label(f"Name of stage {number}", exact=True).fill(label)
        outcome = page.get_by_label(f"Outcome of stage {number}", exact=True)
        if outcome.is_enabled():
            outcome.select_option(kind)
        page.get_by_label(f"Probability of stage {number}, in percent").fill(str(percent))
        page.get_by_label(f"Order of stage {number}", exact=True).fill(str(place))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast")).to_contain_text(f"Pipeline “{name}” saved.")


def add_field(page, label: str, type: str, required_from=(), options=()):
    page.goto("/settings/fields/new/?entity=opportunity")
    page.get_by_label("Label", exact=True).fill(label)
    page.get_by_label("Type", exact=True).select_option(label=type)
    for stage in required_from:
        page.get_by_label(stage, exact=True).first.check()
    for number, option in enumerate(options, 1):
        page.get_by_label(f"Option {number}", exact=True).fill(option)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile(r"/settings/fields/\?entity=opportunity|/settings/fields/\d+/"))


def set_up(page):
    verbal = [FLEET[n] for n in (0, 1, 2, 3, 5, 6, 4)]  # the shipped rows renamed, and a new one
    page.get_by_role("link", name="Edit Sales").click()
    fill_stages(page, "Fleet sales", verbal, (1, 2, 3, 4, 6, 7, 5))
    page.goto("/settings/pipelines/")
    page.get_by_label("Name", exact=True).fill("Service contracts")
    page.get_by_role("button", name="Create pipeline").click()
    fill_stages(page, "Service contracts", [SERVICE[n] for n in (0, 2, 3, 1)], (1, 3, 4, 2))
    add_field(page, "Vehicles", "Number", ["Offer out"])
    add_field(page, "Tender no.", "Text", ["Signed"])
    add_field(page, "Risk", "Select", options=["Low", "High"])


def _run_a_workflow(page):
    """Let a workflow wait for one of the stages, and move an opportunity there."""
    page.goto("/settings/workflows/")
    page.get_by_role("link", name="New workflow").click()
    page.get_by_label("Name", exact=True).fill("Contract")
    page.locator("#trigger-entity").select_option("opportunity")
    wanted = page.locator("#trigger-to option", has_text="Legal & procurement")
    expect(wanted).to_have_count(1)
    page.locator("#trigger-to").select_option(wanted.get_attribute("value"))
    add_step(page, "Create task or activity", 1, type="Task", subject="Contract for {name}", priority="High")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Turn on").click()
    page.goto(f"/opportunity?{urlencode({'view': 'all', 'stage': 'qualification'})}")
    page.locator("td.name a").first.click()
    page.locator(".steps").get_by_role("button", name="Legal & procurement").click()
    expect(page.locator(".record-state .badge")).to_have_text("Legal & procurement")
    drain()
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("Contract for Deal")


def test_a_process_that_shares_nothing_with_the_shipped_one(visit, deals, sign_in):
    file, said = deals
    page = visit("/settings/pipelines/", client=sign_in("admin"))
    set_up(page)
    page.goto("/opportunity/import")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Preview").first.click()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("All rows imported.")).to_be_visible()

    # The list, the board and the card of the dashboard say what the file says.
    page.goto(f"/opportunity?{urlencode(VERBAL)}")
    verbal = [n for (_pipeline, stage, _currency), (n, _sum) in said.items() if stage == "Verbal yes"]
    expect(page.locator("tr[data-row]")).to_have_count(sum(verbal))
    page.goto("/opportunity/board?view=all")
    headings = page.locator("[data-column] header")
    expect(headings).to_have_count(len(FLEET))
    for (label, _kind, _percent), heading in zip(FLEET, headings.all(), strict=True):
        count = sum(
            n for (pipeline, stage, _), (n, _sum) in said.items() if (pipeline, stage) == ("Fleet sales", label)
        )
        assert f"{label} {count}" in " ".join(heading.inner_text().split())
    page.get_by_role("link", name="Service contracts").click()
    expect(page.locator("[data-column]")).to_have_count(len(SERVICE))
    _run_a_workflow(page)
    page.goto("/dashboard")
    for key in (("Service contracts", "Due", "USD"), ("Fleet sales", "Requested", "EUR")):
        expect(page.get_by_role("main")).to_contain_text(formats.money(said[key][1], key[2]))
