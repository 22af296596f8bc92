"""A meeting of two people about an opportunity, and a rep's tasks as a list."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from contacts.models import Activity
from contacts.verbs.log import log
from crm.opportunities.verbs.create import create

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_meeting_is_logged_with_two_people_about_an_opportunity(visit, add, actor, sign_in):
    ana, bo = add("Ana Ruiz"), add("Bo Berg")
    create([{"name": "120 vans", "contact": ana.pk}], by=actor("rep"))
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    page.get_by_label("Meeting").check()
    expect(page.get_by_label("Repeats")).to_be_hidden()
    page.get_by_label("Subject").fill("Kick-off")
    page.get_by_label("Also with").press_sequentially("Bo")
    offered = page.locator('datalist option[value^="Bo Berg"]')
    expect(offered).to_be_attached()
    page.get_by_label("Also with").fill(offered.get_attribute("value"))
    page.get_by_label("Opportunity").select_option(label="120 vans")
    page.get_by_role("button", name="Log meeting").click()
    expect(page.locator(".toast")).to_contain_text("Meeting logged.")
    page.goto(bo.get_absolute_url())
    expect(page.locator(".timeline li").first).to_contain_text("logged a meeting")
    page.goto(Activity.objects.get().opportunity.get_absolute_url())
    expect(page.locator(".timeline")).to_contain_text("Kick-off")
    page.get_by_role("link", name="With its people’s activities").click()
    expect(page.locator(".timeline")).to_contain_text("Kick-off")


def test_tasks_are_ticked_and_postponed_and_one_is_completed_on_its_page(visit, add, actor, sign_in):
    task = {"kind": "task", "contact_id": add("Ana Ruiz").pk, "due_at": timezone.now() - timedelta(hours=1)}
    log([task | {"subject": subject} for subject in ("Call", "Write", "Visit")], by=actor("rep"))
    page = visit("/activity", client=sign_in("rep"))
    page.get_by_label("Select Call").check()
    page.get_by_label("Select Write").check()
    page.locator(".bulk").get_by_role("button", name="Postpone").click()
    page.get_by_role("button", name="Postpone").click()
    expect(page.locator(".toast")).to_contain_text("Postponed: 2 records.")
    page.get_by_role("link", name="Overdue").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.get_by_role("link", name="Visit", exact=True).click()
    page.get_by_role("button", name="Complete").click()
    expect(page.locator(".toast")).to_contain_text("“Visit” completed.")
    expect(page.locator(".card-head", has_text="Task")).to_contain_text("Done")
