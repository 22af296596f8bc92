"""A double click creates one record, with and without scripts, in every form that creates one."""

import re
from collections.abc import Callable

import pytest
from django.core.handlers.wsgi import WSGIHandler
from playwright.sync_api import Error

from contacts.models import Activity, Company, Contact
from crm.campaigns.models import Campaign
from crm.lifecycle.models import Guard
from crm.lists.models import SavedView
from crm.opportunities.models import Opportunity
from crm.users.models import Invitation, Team
from leads.assignment.models import AssignmentRule
from tests.budget import examples
from tests.events.test_engine import eventually
from tests.installed import legacy_leads

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Page, button, input, and the records created.
FORMS: dict[str, tuple[str, str, dict[str, str], Callable]] = {
    "contact": ("/contact/new", "Create", {"name": "Twice {n}", "email": "twice{n}@x.example"}, Contact),
    "contact alike": ("/contact/new", "Create", {"name": "Twice"}, Contact),
    "company": ("/company/new", "Create", {"name": "Twice"}, Company),
    "opportunity": ("/opportunity/new", "Create", {"name": "Twice", "contact": "{ana}"}, Opportunity),
    "note": ("/contact/{ana}", "Add note", {"body": "Twice"}, Activity),
    "view": ("/contact/view?where=role+is+empty", "Save", {"name": "Twice {n}"}, SavedView),
    "campaign": ("/campaign/new", "Save", {"name": "Twice", "subject": "S", "body": "B"}, Campaign),
    "team": ("/settings/teams/", "Create team", {"name": "Twice {n}"}, Team),
    "invitation": ("/settings/people/", "Invite", {"email": "twice{n}@x.example"}, Invitation),
    "rule": (
        "/settings/assignment/new/",
        "Save",
        {"name": "Twice {n}", "condition": "source = web", "people": "✓"},
        AssignmentRule,
    ),
    "prerequisite": (
        "/settings/workflows/prerequisites/new/",
        "Save",
        {"condition": "title is not empty", "message": "Twice {n}"},
        Guard,
    ),
    **({"old lead": legacy_leads.FORM} if legacy_leads else {}),
}


@pytest.fixture
def requests(monkeypatch) -> list[list]:
    """Return the live server's requests: [method, whether answered]."""
    found: list[list] = []
    answer = WSGIHandler.get_response

    def counted(self, request):
        found.append(noted := [request.method, False])
        try:
            return answer(self, request)
        finally:
            noted[1] = True

    monkeypatch.setattr(WSGIHandler, "get_response", counted)
    return found


def visit_next(page, path: str) -> None:
    """Open the path, even while a second click's response still redirects the page."""
    for _ in range(5):
        try:
            page.goto(path)
            return
        except Error as error:
            if "interrupted by another navigation" not in str(error):
                raise
            page.wait_for_load_state()
    raise AssertionError(f"The page did not come to {path}.")


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_a_double_click_creates_one_record(javascript, visit, sign_in, add, actor, requests):
    ana = add("Ana Ruiz", by="admin").public_id
    if legacy_leads:
        legacy_leads.add_open(actor)
    page = visit("/", client=sign_in("admin"), javascript=javascript)
    doubled = 0
    for name, (path, button, fields, model) in FORMS.items():
        for n in range(examples(1)):
            before = model.objects.count()
            visit_next(page, path.format(ana=ana))
            main = page.get_by_role("main")
            for field, value in fields.items():
                place = main.locator(f"[name={field}]").first
                place.check() if value == "✓" else place.fill(value.format(n=n, ana=ana))
            requests.clear()
            submit = main.get_by_role("button", name=re.compile(rf"^{button}")).first
            submit.dblclick(delay=30, no_wait_after=True)
            # If the response precedes the second click, that click meets another page.
            doubled += eventually(lambda: [method for method, _ in requests].count("POST") > 1, seconds=2)
            page.wait_for_load_state("networkidle")
            assert eventually(lambda: all(answered for _, answered in requests)), name
            assert model.objects.count() == before + 1, name
    assert doubled > len(FORMS) // 2 * examples(1)
