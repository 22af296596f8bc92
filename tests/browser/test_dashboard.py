"""The dashboard loads card by card, opens lists, prints, and works without JavaScript."""

from datetime import timedelta
from random import Random

import pytest
from playwright.sync_api import expect

from crm.kit import clock
from leads.models import Lead
from tests.browser import HEIGHT, assert_accessible, inspect, screenshot
from tests.dashboards.world import END, people
from tests.factories import make_contact

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ASKED = f"from={END.date().replace(month=3, day=1)}&to={END.date()}&split=source"


@pytest.fixture
def history(acme, cast):
    people(cast, Random(5), 15)


def test_the_frame_fills_by_parts_and_a_bar_opens_its_list(visit, history, sign_in):
    page = visit(f"/dashboard?{ASKED}", client=sign_in("manager"))
    expect(page.locator("[aria-busy]")).to_have_count(0)
    number = page.locator("#part-funnel tbody tr").first.locator("td.num a").first
    counted = number.inner_text()
    number.click()
    expect(page.locator(".pager")).to_contain_text(f"of {counted}")


def test_it_looks_as_it_should(visit, history, sign_in):
    page = visit(f"/dashboard?{ASKED}&parts=all", client=sign_in("manager"))
    inspect(page, "dashboard-full")
    page.emulate_media(media="print", color_scheme="light")
    page.set_viewport_size({"width": 794, "height": HEIGHT[1440]})
    expect(page.locator(".sidebar")).to_be_hidden()
    screenshot(page, "dashboard-full-printed")


def test_it_works_without_javascript(visit, history, sign_in):
    page = visit(f"/dashboard?{ASKED}", client=sign_in("rep"), javascript=False)
    page.get_by_role("link", name="Load all cards").click()
    expect(page.locator("#part-funnel tbody tr").first).to_contain_text("Lead")
    page.goto("/dashboard")
    page.get_by_role("link", name="Where records are stuck").click()
    expect(page.locator("h1")).to_have_text("Where records are stuck")


def test_a_badge_tells_why(visit, add, sign_in):
    ana = add("Ana Ruiz", email="ana@fleetly.example")
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    page.get_by_label("Why Lifecycle Stage is Lead").click()
    expect(page.locator(".record-title .evidence-list")).to_contain_text("Exit criteria")
    assert_accessible(page)
    page.get_by_label("Why Status is New").click()
    expect(page.locator(".lead-standing .evidence-list").first).to_contain_text("Entry criteria")


def test_a_key_acts_on_what_is_late(visit, cast, acme, sign_in):
    with clock.at(clock.now() - timedelta(days=3)):
        ana = make_contact("Ana Ruiz", owner=cast.rep)
    page = visit("/", client=sign_in("rep"))
    expect(page.get_by_role("heading", name="First contact overdue")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "my-day-late-light-1440")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_url(f"**{Lead.objects.get(contact=ana).get_absolute_url()}")
    assert Lead.objects.get(contact=ana).contacted_at
