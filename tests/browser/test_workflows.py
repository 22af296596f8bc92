"""A workflow from scratch: built, previewed, turned on, run, broken, fixed and retried."""

import pytest
from django.core import mail
from playwright.sync_api import expect

from contacts.verbs.lose import lose
from crm.events.engine import drain
from crm.workflows.models import Run, Workflow
from tests.browser import inspect
from tests.factories import make_worthy, rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def add_step(page, label: str, number: int, **values: str):
    """Add a step and fill in its fields by label."""
    page.get_by_label("Add action").select_option(label=label)
    page.get_by_role("button", name="Add", exact=True).click()
    step = page.get_by_role("group", name=f"{number}. {label}")
    expect(step).to_be_visible()
    fill(step, **values)
    return step


def fill(step, **values: str):
    """Fill in a step's fields by label, selects by option label."""
    for name, value in values.items():
        field = step.get_by_label(name.replace("_", " ").capitalize(), exact=True)
        if field.evaluate("node => node.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)


def build_onboarding(page):
    page.get_by_role("link", name="New workflow").click()
    page.get_by_label("Name", exact=True).fill("Onboarding")
    page.get_by_label("Change", exact=True).select_option(label="Lifecycle Stage changes to Qualified")
    page.get_by_label("Conditions (optional)").fill("source = web")
    task = "Create task or activity"
    add_step(page, task, 1, type="Task", subject="Onboarding call with {name}", priority="High")
    add_step(page, "Send email", 2, to="Contact", subject="Welcome, {first_name}", body="We will call you.")
    page.get_by_role("button", name="Move action 2 up").click()
    expect(page.get_by_role("group", name="1. Send email")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_onboarding_from_nothing(visit, add, sign_in, actor, javascript):
    ana = make_worthy(add("Ana Ruiz", email="ana@fleetly.example", first_name="Ana", source="Web"))
    page = visit("/settings/workflows/", client=sign_in("admin"), javascript=javascript)
    build_onboarding(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Onboarding")).to_be_visible()
    expect(page.locator(".flow")).to_contain_text("Send “Welcome, {first_name}” to Contact")
    page.get_by_role("link", name="Preview").click()
    expect(page.get_by_text("Runs in the last 90 days")).to_be_visible()
    page.get_by_role("link", name="Back", exact=True).click()
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".card-head .badge").first).to_have_text("On")

    page.goto(ana.get_absolute_url())
    page.locator("#head").get_by_role("button", name="Qualify", exact=True).first.click()
    expect(page.locator(".record-title .badge")).to_have_text("Qualified")
    drain()
    assert [letter.subject for letter in mail.outbox if letter.to == ["ana@fleetly.example"]] == ["Welcome, Ana"]
    page.reload()
    expect(page.locator(".timeline")).to_contain_text("Welcome, Ana")
    expect(page.locator(".record-side")).to_contain_text("Onboarding call with Ana Ruiz")
    expect(page.get_by_role("region", name="Workflows")).to_contain_text("Done")

    page.goto(Workflow.objects.get().get_absolute_url())
    page.get_by_role("link", name="Contact qualified").click()
    expect(page.locator(".flow-run li")).to_have_count(2)
    expect(page.locator(".flow-run")).to_contain_text("Sent “Welcome, Ana” to ana@fleetly.example")
    expect(page.locator(".flow-run")).to_contain_text("1 attempt")


def test_a_step_that_fails_is_seen_mended_and_tried_again(visit, add, sign_in, actor, acme):
    ana = add("Ana Ruiz", email="ana@fleetly.example")
    page = visit("/settings/workflows/new/", client=sign_in("admin"), expected="422")
    page.get_by_label("Name", exact=True).fill("Tell them")
    page.get_by_label("Change", exact=True).select_option(label="Lifecycle Stage changes to Lost")
    step = add_step(page, "Send webhook", 1, endpoint="http://127.0.0.1/hook")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Use https:// and port 443.")).to_be_visible()
    fill(step, endpoint="https://127.0.0.1/hook")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Turn on").click()
    acme.refresh_from_db()  # every request and delivery reads the settings version
    lose(rows(ana), by=actor("rep"), reason="x")
    drain()

    page.goto("/exceptions")
    line = page.locator("tr", has_text="Workflow failed")
    expect(line).to_contain_text("Requests can’t be sent to this network.")
    line.get_by_role("link", name="View run").click()
    expect(page.locator(".notice")).to_contain_text("can’t be sent to this network")

    page.goto(Workflow.objects.get().get_absolute_url())
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("button", name="Remove action 1").click()
    expect(page.get_by_text("No actions yet")).to_be_visible()
    add_step(page, "Update field", 1, field="Title", new_value="Told")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(Run.objects.get().get_absolute_url())
    page.get_by_role("button", name="Retry").click()
    drain()
    page.reload()
    expect(page.locator(".card-head .badge")).to_have_text("Done")
    expect(page.locator(".flow-run")).to_contain_text("Set Title to “Told”")
    page.goto("/exceptions")
    expect(page.locator("tr", has_text="Workflow failed")).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_prerequisite_is_tried_written_and_refuses(visit, add, sign_in, actor, javascript):
    ana = make_worthy(add("Ana Ruiz", email="ana@fleetly.example", source="Web"))
    lose(rows(add("Ben Ode")), by=actor("rep"), reason="x")
    page = visit("/settings/workflows/", client=sign_in("admin"), javascript=javascript, expected="409")
    page.get_by_role("link", name="Stage requirements").click()
    page.get_by_role("link", name="New stage requirement").click()
    page.get_by_label("Action").select_option(value="contact.lose")
    page.get_by_label("Condition").fill("title is not empty")
    page.get_by_label("Error message").fill("Say first what they do")
    page.get_by_role("button", name="Test on the last 200").click()
    refused = page.get_by_role("region", name="Test results")
    expect(refused).to_contain_text("Blocked among 1 recent change")
    expect(refused).to_contain_text("Ben Ode")
    page.get_by_label("Action").select_option(value="contact.qualify")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("tr", has_text="Say first what they do")).to_contain_text("Contact: Qualify")
    page.goto(ana.get_absolute_url())
    expect(page.locator("#head")).to_contain_text("Say first what they do")
    page.goto("/settings/workflows/prerequisites/")
    page.get_by_role("link", name="Edit Contact: Qualify: Say first what they do").click()
    page.get_by_label("Condition").fill("source = web")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(ana.get_absolute_url())
    page.locator("#head").get_by_role("button", name="Qualify", exact=True).first.click()
    expect(page.locator(".record-title .badge")).to_have_text("Qualified")


def test_how_it_looks(visit, add, sign_in):
    ana = make_worthy(add("Ana Ruiz", email="ana@fleetly.example", source="Web"))
    page = visit("/settings/workflows/", client=sign_in("admin"))
    inspect(page, "workflows-none")
    page.get_by_role("link", name="Use template Onboarding").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Records matching now")).to_be_visible()
    inspect(page, "workflow-build")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Turn on").click()
    page.goto(ana.get_absolute_url())
    page.locator("#head").get_by_role("button", name="Qualify", exact=True).first.click()
    expect(page.locator(".record-title .badge")).to_have_text("Qualified")
    drain()
    page.goto(Workflow.objects.get().get_absolute_url())
    inspect(page, "workflow")
    page.get_by_role("link", name="Preview").click()
    inspect(page, "workflow-preview")
    page.goto(Run.objects.get().get_absolute_url())
    inspect(page, "workflow-run")
    page.goto(ana.get_absolute_url())
    inspect(page, "workflow-record")
    page.goto("/settings/workflows/")
    inspect(page, "workflows")
