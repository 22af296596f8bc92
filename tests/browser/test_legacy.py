"""The old leads as people meet them: their workspace, the plan, and what the addresses lead to afterwards."""

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from contacts.models import Contact
from crm.opportunities.models import Opportunity
from leads.legacy.models import LegacyLead, OldLeads
from leads.legacy.verbs.create import create
from tests.browser import HEIGHT, assert_accessible, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def old_leads(add, actor):
    """A lead that is linked and worth something, and one that is not."""
    ana = add("Ana Ruiz", email="ana@fleetly.example")
    linked = {"name": "Ana Ruiz", "contact": ana, "estimated_value": "1500.50", "source": "Fair", "description": "Vans"}
    alone = {"name": "Bo Vega", "email": "bo@fleetly.example", "estimated_value": "70", "description": "Wants a demo"}
    create([linked, alone], by=actor("rep"))
    return ana


def fits(page, name: str) -> None:
    """The page of the admin can be read on a laptop and on a telephone."""
    for theme, width in [("light", 1440), ("dark", 390)]:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        screenshot(page, f"{name}-{theme}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than {width}"


def test_from_the_old_workspace_to_contacts_and_opportunities(visit, sign_in, old_leads):
    page = visit("/lead?view=all", client=sign_in("rep"))
    expect(page.get_by_role("link", name="Leads (old)")).to_be_visible()
    page.get_by_role("link", name="Bo Vega").click()
    expect(page.get_by_role("heading", name="Bo Vega")).to_be_visible()
    address = page.url

    page = visit("/admin/leads/migrationrun/", client=sign_in("admin"))
    page.get_by_role("link", name="What would be migrated").click()
    expect(page.locator("#result_list")).to_contain_text("Joined a contact")
    expect(page.locator("#result_list")).to_contain_text("No contact was linked to it.")
    assert Contact.objects.count() == 1
    fits(page, "migration-plan")

    call_command("migrate_leads", workspace="acme", commit=True)
    page = visit(address, client=sign_in("rep"))
    expect(page.get_by_role("heading", name="Bo Vega")).to_be_visible()
    assert page.url.endswith(Contact.objects.get(name="Bo Vega").get_absolute_url())
    expect(page.get_by_label("Old leads")).to_contain_text("No contact was linked to it.")
    expect(page.locator(".record-facts")).to_contain_text("Wants a demo")
    expect(page.get_by_role("link", name="Leads (old)")).to_have_count(0)

    page.goto(page.url.partition("/contact")[0] + "/lead")
    expect(page.get_by_role("heading", name="Active Leads")).to_be_visible()
    page.get_by_role("link", name="Ana Ruiz").click()
    expect(page.locator(".record-facts")).to_contain_text("Vans")
    page.goto(page.url.partition("/contact")[0] + Opportunity.objects.get().get_absolute_url())
    expect(page.locator("body")).to_contain_text("1,500.50")
    expect(page.locator("body")).to_contain_text("Qualification")


def test_an_admin_sees_the_report_and_confirms_the_drop(visit, sign_in, old_leads):
    call_command("migrate_leads", workspace="acme", commit=True)
    page = visit("/admin/leads/migrationrun/", client=sign_in("admin"))
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("link", name="What each became").click()
    expect(page.locator("#result_list")).to_contain_text("Joined a contact")
    fits(page, "migration-report")
    page.goto(page.url.partition("/admin")[0] + f"/admin/leads/oldleads/{OldLeads.objects.get().pk}/change/")
    expect(page.locator("#content")).to_contain_text("0 of 1 admins have confirmed")
    page.get_by_role("button", name="Confirm that it may be dropped").click()
    expect(page.locator(".messagelist")).to_contain_text("You have confirmed")
    expect(page.locator("#content")).not_to_contain_text("admins have confirmed")
    assert LegacyLead.objects.count() == 2


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_the_old_workspace_is_accessible(theme, width, visit, sign_in, old_leads):
    assert_accessible(visit("/lead?view=all", client=sign_in("rep"), theme=theme, width=width))
