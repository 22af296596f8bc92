"""Every page: axe finds nothing, the policy refuses nothing, nothing scrolls sideways; light and dark, wide and narrow.

The pages are those of the URL resolver: a new one fails here until it is listed, with the arguments it takes.
"""

import pytest
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import Entry
from contacts.models import Activity, Company, Contact
from contacts.verbs.complete import complete
from contacts.verbs.create import create
from contacts.verbs.delete import delete
from contacts.verbs.log import log
from contacts.verbs.qualify import qualify
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.events.engine import drain
from crm.exceptions.jobs import find_exceptions
from crm.lifecycle.models import Guard
from crm.lists.verbs.save_view import save_view
from crm.opportunities.models import Opportunity
from crm.opportunities.moves import move_to
from crm.opportunities.verbs.create import create as open_opportunity
from crm.workflows.verbs.start_workflow import start_workflow
from leads.assignment.models import AssignmentRule
from leads.legacy.models import LegacyLead
from leads.legacy.verbs.create import create as add_legacy_leads
from leads.models import Lead
from leads.verbs.qualify import qualify as qualify_lead
from leads.verbs.save_assignment_rule import save_assignment_rule
from tests.browser import HEIGHT, assert_accessible, screenshot
from tests.campaigns.conftest import make_campaign
from tests.factories import make_worthy
from tests.workflows.conftest import make_flow, task

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS = [("light", 1440), ("dark", 1440), ("dark", 390), ("light", 390)]


def _list(entity: str, field: str = "role") -> dict:
    bare = dict.fromkeys(f"{entity}_{name}" for name in ("list", "count", "narrow", "columns"))
    return bare | {f"{entity}_filter": f"?field={field}", f"{entity}_save_view": "?sort=name", f"{entity}_new": None}


def _record(entity: str) -> dict:
    records = {f"{entity}_{name}": [entity] for name in ("edit", "timeline", "delete")}
    return records | {entity: [entity], f"{entity}_field": [entity, "owner"]}


# By the name of the URL: what a page's address ends in, or the arguments it takes (names of objects in `world`).
PAGES = {
    "home": None,
    "search": "?q=a",
    **_list("contact"),
    **_list("company"),
    **_record("contact"),
    **_record("company"),
    **_list("opportunity", field="stage"),
    **_record("opportunity"),
    **_list("legacy_lead", field="status"),
    **_record("legacy_lead"),
    "opportunity_board": "?view=all",
    "opportunity_move": ["opportunity", "lose"],
    **_list("lead", field="stage"),
    **_record("lead"),
    "lead_board": "?view=all",
    "exceptions": None,
    "lifecycle": None,
    "stage_definition": ["kind", "lifecycle_stage", "value"],
    "stage_why": ["kind", "lifecycle_stage", "contact"],
    "wait": ["kind", "contact"],
    "dashboard": "?parts=all",
    "dashboard_part": ["funnel"],
    "dashboard_arrange": None,
    "dashboard_mail": None,
    "exception_waive": ["contact_unowned", "trouble"],
    "assignment": None,
    "assignment_rule_new": None,
    "assignment_rule": ["rule"],
    "first_contact": None,
    "workflows": None,
    "workflow_new": "?template=onboarding",
    "guards": None,
    "guard_new": None,
    "guard": ["guard"],
    "workflow": ["workflow"],
    "workflow_edit": ["workflow"],
    "workflow_preview": ["workflow"],
    "workflow_run": ["workflow_run"],
    "campaigns": None,
    "campaign_new": None,
    "campaign": ["campaign"],
    "campaign_edit": ["draft"],
    "campaign_send": ["draft"],
    "lead_move": ["lead", "qualify"],
    "lead_convert": ["lead"],
    "lead_score": ["lead"],
    "scoring_model": None,
    "contact_import": None,
    "opportunity_import": None,
    "contact_merge": ["contact"],
    "contact_move": ["contact", "override"],
    "contact_suppression": ["contact"],
    "activity_edit": ["task"],
    "notifications": None,
    "notification_settings": None,
    "profile": None,
    "security": None,
    "people": None,
    "person": ["member"],
    "teams": None,
    "team": ["team"],
    "workspace": None,
    "workspaces": None,
    "lead_migration": None,
    "stayed_leads": None,
    "account_email": None,
    "account_change_password": None,
    "account_logout": None,
    "mfa_index": None,
    "mfa_activate_totp": None,
    "mfa_list_webauthn": None,
    "mfa_add_webauthn": None,
    "account_reauthenticate": None,
    "usersessions_list": None,
}
FOR_STRANGERS = {
    "account_login": None,
    "account_signup": None,
    "account_inactive": None,
    "account_reset_password": None,
    "account_reset_password_done": None,
    "account_reset_password_from_key_done": None,
    "account_reset_password_from_key": ["x", "y"],
    "accept_invitation": ["no-such-token"],
    "campaign_unsubscribe": ["no-such-token"],
}
WALKED = {"contact_import_run", "opportunity_import_run", "undo_progress"}  # pages with a test of their own
# Those that only act, give a part of a page or a file, or lead on to one of the pages above.
NO_PAGES = """
    undo contact_bulk company_bulk contact_delete_view company_delete_view contact_activity company_activity
    opportunity_bulk opportunity_delete_view opportunity_activity opportunity_restore opportunity_export
    opportunity_import_refused contact_restore company_restore options contact_avatar contact_import_refused
    lead_migration_act lead_migration_plan lead_migration_report
    legacy_lead_bulk legacy_lead_delete_view legacy_lead_activity legacy_lead_restore legacy_lead_export
    contact_export lead_activity lead_restore
    campaign_test campaign_cancel campaign_retry
    lead_bulk lead_delete_view lead_export exception_list_again
    workflow_switch workflow_rotate workflow_run_retry workflow_run_cancel workflow_start workflow_release workflow_hook
     dashboard_table
     activity_complete activity_delete settings theme notification_open notifications_read notifications_unread
     invite_person deactivate_person reactivate_person withdraw_invitation open_workspace csp_report
     healthz readyz metrics
    account_request_reauthentication_code account_confirm_reauthentication_code
    account_email_verification_sent account_set_password account_confirm_login_code account_confirm_email
    mfa_authenticate mfa_reauthenticate mfa_deactivate_totp mfa_view_recovery_codes mfa_generate_recovery_codes
    mfa_download_recovery_codes mfa_reauthenticate_webauthn mfa_remove_webauthn mfa_edit_webauthn mfa_login_webauthn
""".split()


def names(patterns) -> set[str]:
    """The names of all URLs but those of the Django admin."""
    found = set()
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            found.add(pattern.name)
        elif pattern.namespace != "admin":
            found |= names(pattern.url_patterns)
    return found


def test_every_url_is_listed():
    listed = {*PAGES, *FOR_STRANGERS, *WALKED, *NO_PAGES}
    assert names(get_resolver().url_patterns) == listed


@pytest.fixture
def world(cast, add, fleetly, actor):
    """A contact with a history, one without an e-mail and one in the trash, a view, and what pages need besides."""
    boss = add("Carlos Vega", email="carlos@fleetly.example", company=fleetly.pk)
    texts = {"title": "Head of Operations", "timezone": "Europe/Madrid", "source": "Demo request", "role": "champion"}
    ana = add(
        "Ana Ruiz",
        marketing_consent="Given, web form",
        email="ana@fleetly.example",
        company=fleetly.pk,
        manager=boss.pk,
        notes="Prefers mail",
        **texts,
    )
    about = {"contact_id": ana.pk}
    log(
        [{"kind": "call", "outcome": "connected", "subject": "Discovery call", "body": "Budget agreed"} | about],
        by=actor("rep"),
    )
    made = log(
        [{"kind": "task", "subject": name, "priority": "high"} | about for name in ("Call", "Write")], by=actor("rep")
    )
    complete(Activity.objects.filter(pk=made.done[0]), by=actor("rep"))
    qualify(Contact.objects.filter(pk=make_worthy(ana).pk), by=actor("rep"))
    create([{"name": f"Other {number:02}"} for number in range(55)], by=actor("admin"))
    deals = [
        {
            "name": f"Fleetly, {what}",
            "contact": ana.pk,
            "amount": amount,
            "close_date": day,
            "next_step": "Send the offer",
        }
        for what, amount, day in (("120 vans", "48000", "2026-01-24"), ("fuel cards", "9600.50", "2027-03-01"))
    ]
    opened = open_opportunity([*deals, {"name": "Pilot", "contact": boss.pk}], by=actor("rep"))
    move_to(Opportunity.objects.filter(pk=opened.done[1]), "negotiation", by=actor("rep"))
    move_to(Opportunity.objects.filter(pk=opened.done[2]), "lost", by=actor("rep"), reason="Price")
    texts = {"source": "Trade fair", "description": "Wants 120 vans", "company_name": "Fleetly", "contact": ana.pk}
    old = [{"name": f"Old {n:02}", "email": f"o{n}@old.example", "estimated_value": 900 * n} | texts for n in range(4)]
    old = add_legacy_leads(old, by=actor("rep")).done
    qualify_lead(Lead.objects.filter(contact=ana), "sales_qualified", by=actor("rep"), reason="They called us")
    trouble = add("Nobody's Own", owner=None)
    find_exceptions(timezone.now())
    rule = AssignmentRule(name="Web", condition="source = web", people=[cast.rep.pk, cast.mate.pk])
    gone = add("Gone Away")
    delete(Contact.objects.filter(pk=gone.pk), by=actor("rep"), reason="Twice")
    save_view("contact", "Champions", by=actor("admin"), condition="role = champion")
    hand = make_flow(
        actor("admin"), {"kind": "manual", "entity": "contact"}, {"kind": "wait", "amount": 1, "unit": "days"}, task()
    )
    start_workflow(Contact.objects.filter(pk=ana.pk), hand, by=actor("admin"))
    add("Bo Lost", marketing_consent="Given")
    sent = send_campaign(make_campaign(actor("admin"), segment="all"), by=actor("admin"))
    drain()
    return {
        "campaign": sent.public_id,
        "draft": make_campaign(actor("admin"), name="Autumn", segment="all").public_id,
        "workflow": hand.public_id,
        "guard": Guard.objects.first().pk,
        "workflow_run": hand.runs.get().public_id,
        "contact": ana.public_id,
        "company": Company.objects.get(pk=fleetly.pk).public_id,
        "opportunity": Opportunity.objects.get(pk=opened.done[0]).public_id,
        "legacy_lead": LegacyLead.objects.get(pk=old[0]).public_id,
        "lead": Lead.objects.get(contact=ana).public_id,
        "task": Activity.objects.get(pk=made.done[1]).public_id,
        "trashed": gone.public_id,
        "plain": boss.public_id,
        "trouble": trouble.public_id,
        "rule": save_assignment_rule(rule, by=actor("admin")).pk,
        "member": cast.rep.pk,
        "team": cast.iberia.pk,
        "kind": "contact",
        "value": "lead",
    }


def address(name: str, ending, world: dict) -> str:
    """The address of a page: its name, and the arguments or the ending it is listed with."""
    arguments = [world.get(part, part) for part in ending] if isinstance(ending, list) else []
    return reverse(name, args=arguments) + (ending if isinstance(ending, str) else "")


def inspect(page, name: str) -> None:
    """Look at a page as it stands in every theme and width."""
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        screenshot(page, f"{name}-{theme}-{width}")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{name} scrolls sideways at {width}"
        )


@pytest.mark.parametrize("part", range(3))
def test_the_pages_of_members(part, visit, world, sign_in):
    page = visit("/", client=sign_in("admin"))
    for name, ending in list(PAGES.items())[part::3]:
        page.goto(address(name, ending, world))
        inspect(page, name)


def test_the_pages_of_strangers(visit, world):
    page = visit("/accounts/login/", expected="404")  # what an invitation that has ended answers with
    for name, ending in FOR_STRANGERS.items():
        page.goto(address(name, ending, world))
        inspect(page, name)


FEW = "/contact?view=contacts_leads&q=a"  # a list of a few rows: axe looks at every one


def _open(summary: str, then: str):
    def scene(page, world):
        page.goto(FEW)
        page.locator("summary", has_text=summary).first.click()
        page.locator(then).first.wait_for()

    return scene


def _selected(page, world):
    page.goto("/contact?view=all")
    page.get_by_label("Select all on this page").check()
    expect(page.locator(".bulk")).to_be_visible()


def _asked(action: str):
    def scene(page, world):
        _selected(page, world)
        page.locator(".bulk").get_by_role("button", name=action).click()
        page.locator("main .form-actions").wait_for()

    return scene


def _editing_a_cell(page, world):
    page.goto(FEW)
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.locator("td form.cell-form").wait_for()


def _editing_a_fact(page, world):
    page.goto(f"/contact/{world['contact']}")
    page.get_by_label("Edit E-mail").click()
    page.locator("form.fact").wait_for()


def _evidence(page, world):
    page.goto(f"/contact/{world['contact']}")
    page.locator(".record-title summary").click()
    page.get_by_text("empty fields").click()
    page.get_by_role("form", name="Write down").get_by_text("Meeting", exact=True).click()


def _searching(page, world):
    page.goto(FEW)
    page.locator("[data-search]").focus()
    page.keyboard.type("ana")
    page.locator(".search-results li").first.wait_for()


def _keys(page, world):
    page.goto("/")
    page.keyboard.press("?")


def _toast(page, world):
    page.goto(f"/contact/{world['contact']}")
    page.get_by_role("button", name="Won").click()
    page.locator(".toast").wait_for()


def _went(path: str):
    return lambda page, world: page.goto(path.format(**world))


SCENES = {
    "list-filter": _open("Filter", ".popover select"),
    "list-quick-filters": _open("Quick filters", ".popover form"),
    "list-columns": _open("Columns", ".popover form"),
    "list-sort": _open("Sort", "main .menu-list a:visible"),
    "list-selected": _selected,
    "list-cell": _editing_a_cell,
    "list-trash": _went("/contact?view=trash"),
    "list-empty": _went("/contact?view=my_customers"),
    "list-search-nothing": _went("/contact?view=all&q=zzz"),
    "list-condition-error": _went("/contact?where=role+%3D"),
    "filter-error": _went("/contact/filter?text=role+%3D+nonsense"),
    "bulk-assign": _asked("Assign"),
    "bulk-stage": _asked("Stage"),
    "bulk-edit": _asked("Edit"),
    "bulk-delete": _asked("Delete"),
    "record-trashed": _went("/contact/{trashed}"),
    "record-new-lead": _went("/contact/{plain}"),
    "record-evidence": _evidence,
    "record-fact": _editing_a_fact,
    "record-toast": _toast,
    "merge-compare": _went("/contact/{contact}/merge?other={plain}"),
    "move-lose": _went("/contact/{plain}/lose"),
    "search-results": _searching,
    "keys": _keys,
}


@pytest.mark.parametrize("part", [0, 1])
def test_what_pages_show_when_something_is_open(part, visit, world, sign_in):
    page = visit("/", client=sign_in("admin"))
    for name, scene in list(SCENES.items())[part::2]:
        page.set_viewport_size({"width": 1440, "height": HEIGHT[1440]})
        scene(page, world)
        inspect(page, name)


def test_a_form_with_errors_and_a_conflict(visit, world, sign_in):
    page = visit("/contact/new", client=sign_in("rep"), expected="422|409")
    page.get_by_label("Company").fill("Nowhere Ltd")
    page.get_by_role("button", name="Add contact").click()
    page.locator(".errorlist").first.wait_for()
    inspect(page, "new-errors")
    page.goto(f"/contact/{world['contact']}/edit")
    other = visit(f"/contact/{world['contact']}/field/title", client=sign_in("manager"))
    other.get_by_label("Title").fill("Director")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_label("Facts")).to_contain_text("Director")
    page.get_by_label("Title").fill("Buyer")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    inspect(page, "conflict")


def test_an_import_from_its_file_to_its_report(visit, world, sign_in):
    page = visit("/contact/import", client=sign_in("rep"))
    people = b"name,email,stage\nNoor Aziz,noor@fleetly.example,Lead\nOmar Said,no-address,Lead\n"
    page.locator("input[type=file]").set_input_files({"name": "fair.csv", "mimeType": "text/csv", "buffer": people})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="fair.csv")).to_be_visible()
    inspect(page, "import-map")
    page.locator("[name=do][value=try]").click()
    page.locator("[name=do][value=import]").click()
    expect(page.locator(".report")).to_be_visible()
    inspect(page, "import-report")


def test_the_admin_keeps_to_the_policy(visit, world, sign_in):
    page = visit("/admin/", client=sign_in("admin"))
    links = page.locator("#content th a").all()
    addresses = [link.get_attribute("href") for link in links]
    assert reverse("admin:audit_entry_changelist") in addresses
    for address_of_list in addresses:
        page.goto(address_of_list)
        expect(page.locator("#content")).to_be_visible()
    entry = Entry.objects.order_by("pk").first()
    page.goto(reverse("admin:audit_entry_change", args=[entry.pk]))
    expect(page.locator("#content")).to_be_visible()
