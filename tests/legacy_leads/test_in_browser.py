"""Legacy leads in the browser: their workspace, the plan, and redirects afterwards."""

import time

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from contacts.models import Contact
from crm.legacy_leads.models import LegacyLead
from crm.legacy_leads.verbs.create_legacy_leads import create_legacy_leads
from crm.lifecycle.guards import install_shipped
from crm.opportunities.models import Opportunity
from tests.browser import inspect
from tests.factories import make_contact

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def old_leads(acme, actor):
    """Create a linked lead with a value, and one with neither."""
    install_shipped()
    ana = make_contact("Ana Ruiz", email="ana@fleetly.example")
    linked = {"name": "Ana Ruiz", "contact": ana, "estimated_value": "1500.50", "source": "Fair", "description": "Vans"}
    alone = {"name": "Bo Vega", "email": "bo@fleetly.example", "estimated_value": "70", "description": "Wants a demo"}
    create_legacy_leads([linked, alone], by=actor("rep"))
    return ana


def test_from_the_old_workspace_to_contacts_and_opportunities(visit, sign_in, old_leads):
    page = visit("/lead?view=all", client=sign_in("rep"))
    expect(page.get_by_role("link", name="Legacy leads", exact=True)).to_be_visible()
    page.get_by_role("link", name="Bo Vega").click()
    expect(page.get_by_role("heading", name="Bo Vega")).to_be_visible()
    address = page.url

    page = visit("/settings/lead-migration/", client=sign_in("admin"))
    page.get_by_role("button", name="Preview migration").click()
    planned = page.get_by_role("region", name="Planned leads")
    expect(planned).to_contain_text("Joined an existing contact")
    expect(planned).to_contain_text("No contact was linked to the lead.")
    assert Contact.objects.count() == 1
    inspect(page, "migration-plan")
    page.get_by_role("button", name="Migrate 2 leads").click()
    expect(page.get_by_role("heading", name="Migrated on")).to_be_visible()
    inspect(page, "migration-report")

    page = visit(address, client=sign_in("rep"))
    expect(page.get_by_role("heading", name="Bo Vega")).to_be_visible()
    assert page.url.endswith(Contact.objects.get(name="Bo Vega").get_absolute_url())
    expect(page.get_by_label("Legacy leads")).to_contain_text("No contact was linked to the lead.")
    expect(page.locator(".record-facts")).to_contain_text("Wants a demo")
    expect(page.get_by_role("link", name="Legacy leads")).to_have_count(0)

    page.goto(page.url.partition("/contact")[0] + "/lead")
    expect(page.get_by_role("heading", name="Active Leads")).to_be_visible()
    page.get_by_role("link", name="Ana Ruiz").click()
    expect(page.locator(".record-facts")).to_contain_text("Vans")
    page.goto(page.url.partition("/contact")[0] + Opportunity.objects.get().get_absolute_url())
    expect(page.locator("body")).to_contain_text("1,500.50")
    expect(page.locator("body")).to_contain_text("Qualification")


@pytest.mark.parametrize("javascript", [True, False])
def test_an_admin_reads_the_leads_that_stayed_confirms_the_drop_and_undoes(
    visit, sign_in, old_leads, actor, javascript
):
    create_legacy_leads([{"name": "Cy Lost", "status": "lost"}], by=actor("rep"))
    call_command("migrate_leads", workspace="acme", commit=True)
    page = visit("/settings/lead-migration/", client=sign_in("admin"), javascript=javascript)
    page.get_by_role("link", name="Show leads that were not migrated").click()
    page.get_by_role("link", name="Cy Lost").click()
    expect(page.get_by_role("heading", name="Cy Lost")).to_be_visible()
    if javascript:
        inspect(page, "stayed-lead")
    page.goto(page.url.partition("/lead")[0] + "/settings/lead-migration/")
    page.get_by_text("Drop the legacy leads").click()
    expect(page.locator("main")).to_contain_text("Admin confirmations: 0 of 1")
    page.get_by_role("button", name="Confirm that the legacy leads can be dropped").click()
    expect(page.locator("main")).not_to_contain_text("Admin confirmations")
    page.get_by_text("Undo the migration").click()
    page.get_by_role("button", name="Undo migration of 3 leads").click()
    expect(page.get_by_role("status").first).to_be_visible()
    ends = time.monotonic() + 60
    while page.get_by_text("was undone").count() == 0:
        assert time.monotonic() < ends
        page.goto(page.url)
    assert LegacyLead.objects.filter(archived_at__isnull=True).count() == 3


def test_the_old_workspace_is_accessible(visit, sign_in, old_leads):
    inspect(visit("/lead?view=all", client=sign_in("rep")), "legacy-leads")
