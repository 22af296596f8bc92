"""Every page: no axe findings, no CSP violations, no horizontal scrolling; light and dark, wide and narrow.

The pages are those of tests/security/matrix.py, which has every URL.
"""

from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import Entry
from contacts.models import Activity, Company, Contact, Participant
from contacts.verbs.complete import complete
from contacts.verbs.create import create
from contacts.verbs.log import log
from contacts.verbs.qualify import qualify
from crm.anomalies.jobs import find_anomalies
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.events.engine import drain
from crm.lifecycle.models import Guard
from crm.lists.verbs.save_view import save_view
from crm.opportunities.models import Opportunity, OpportunityContact
from crm.opportunities.moves import move_to
from crm.opportunities.pipelines import stages
from crm.opportunities.verbs.add_person import add_person
from crm.opportunities.verbs.create import create as open_opportunity
from crm.opportunities.verbs.create_pipeline import create_pipeline
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.users.models import User
from crm.workflows.verbs.start_workflow import start_workflow
from leads.assignment.models import AssignmentRule
from leads.models import Lead
from leads.verbs.qualify import qualify as qualify_lead
from leads.verbs.save_assignment_rule import save_assignment_rule
from tests.browser import HEIGHT, TOO_WIDE, inspect, screenshot
from tests.campaigns.conftest import make_campaign
from tests.factories import make_company, make_field, make_worthy
from tests.installed import legacy_leads
from tests.language.pseudo import CODE, pseudo_language
from tests.security.matrix import MATRIX, url
from tests.security.world import make_file, make_finding
from tests.workflows.conftest import make_flow, task

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WITH_A_TEST_OF_THEIR_OWN = {"contact_import_run", "company_import_run", "opportunity_import_run", "undo_progress"}
PAGES = [
    name
    for name, route in MATRIX.items()
    if route.get is not None and route.page and not name.startswith("admin") and name not in WITH_A_TEST_OF_THEIR_OWN
]
# Pages in another state than the matrix's.
FURTHER = {
    "opportunity-lose": "/opportunity/{opportunity}/lose",
    "contact-override": "/contact/{contact}/override",
    "contact-owner": "/contact/{contact}/field/owner",
    "company-compare": "/company/{company}/merge?other={duplicate_company}",
    "workflow-template": "/settings/workflows/new/?template=onboarding",
    "campaign-sent": "/campaign/{sent}",
}


@pytest.fixture
def world(cast, add, fleetly, actor, settings, tmp_path):
    """Return a contact with a history, one without an email and one in the trash, a view, and other page data."""
    settings.MEDIA_ROOT = tmp_path
    edit(Company.objects.filter(pk=fleetly.pk), {"parent": make_company("Fleetly Group")}, by=actor("rep"))
    make_company("Fleetly Cards", parent=fleetly)
    boss = add("Carlos Vega", email="carlos@fleetly.example", company=fleetly.pk)
    texts = {"title": "Head of Operations", "timezone": "Europe/Madrid", "source": "Demo request", "role": "champion"}
    ana = add(
        "Ana Ruiz",
        marketing_consent="Given, web form",
        email="ana@fleetly.example",
        email_label="work",
        other_emails="home: ana.ruiz.de.la.vega@a-rather-long-domain.example",
        phone="+34 600 100 200",
        other_phones="Switchboard: +34 910 100 100\nask the office",
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
        [
            {"kind": "task", "subject": name, "priority": "high", "participants": [boss.pk]} | about
            for name in ("Call", "Write")
        ],
        by=actor("rep"),
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
    move_to(Opportunity.objects.filter(pk=opened.done[1]), to="negotiation", by=actor("rep"))
    move_to(Opportunity.objects.filter(pk=opened.done[2]), to="lost", by=actor("rep"), reason="Price")
    old = legacy_leads.add_some(actor, ana) if legacy_leads else None
    qualify_lead(Lead.objects.filter(contact=ana), to="sales_qualified", by=actor("rep"), reason="They called us")
    add("Nobody's Own", owner=None)
    find_anomalies(timezone.now())
    make_finding(cast.rep, "The file said so", ana)
    rule = AssignmentRule(name="Web", condition="source = web", people=[cast.rep.pk, cast.mate.pk])
    gone = add("Gone Away")
    delete(Contact.objects.filter(pk=gone.pk), by=actor("rep"), reason="Twice")
    save_view("contact", "Champions", by=actor("admin"), condition="role = champion")
    hand = make_flow(
        actor("admin"), {"kind": "manual", "entity": "contact"}, {"kind": "wait", "amount": 1, "unit": "days"}, task()
    )
    start_workflow(Contact.objects.filter(pk=ana.pk), hand, by=actor("admin"))
    add_person(Opportunity.objects.filter(pk=opened.done[0]), boss, role="champion", by=actor("manager"))
    pipeline = create_pipeline("Renewals", template="renewals", by=actor("admin"))
    add("Bo Lost", marketing_consent="Given")
    sent = send_campaign(make_campaign(actor("admin"), segment="all"), by=actor("admin"))
    drain()
    return SimpleNamespace(
        campaign=make_campaign(actor("admin"), name="Autumn", segment="all"),
        sent=sent,
        workflow=hand,
        workflow_run=hand.runs.get(),
        guard=Guard.objects.first(),
        contact=ana,
        company=fleetly,
        duplicate_company=make_company("Fleetly Ltd", city="Bilbao", phone="+34 600"),
        opportunity=Opportunity.objects.get(pk=opened.done[0]),
        person=OpportunityContact.objects.get(),
        pipeline=pipeline,
        stage=stages("open", pipeline=pipeline.key)[0],
        legacy_lead=old,
        lead=Lead.objects.get(contact=ana),
        task=Activity.objects.get(pk=made.done[1]),
        participant=Participant.objects.get(activity=made.done[1]),
        file=make_file(cast.rep, "Offer", ana),
        trashed=gone,
        plain=boss,
        rule=save_assignment_rule(rule, by=actor("admin")),
        member=cast.rep,
        field=make_field("tier", "select", choices=[{"value": "gold", "label": "Gold", "tone": "amber"}]),
        team=cast.iberia,
    )


def address(name: str, world: SimpleNamespace) -> str:
    """Return the URL of one of PAGES."""
    route = MATRIX[name]
    return url(name, route.args(world) if route.args else ())


def filled(path: str, world: SimpleNamespace) -> str:
    """Return a path with the world's public ids filled in."""
    return path.format(**{name: getattr(one, "public_id", "") for name, one in vars(world).items()})


@pytest.mark.parametrize("part", range(3))
def test_the_pages_of_members(part, visit, world, sign_in):
    page = visit("/", client=sign_in("admin"))
    addresses = {name: address(name, world) for name in PAGES if not MATRIX[name].public}
    addresses |= {name: filled(path, world) for name, path in FURTHER.items()}
    for name, path in list(addresses.items())[part::3]:
        page.goto(path)
        inspect(page, name)


def test_the_pages_of_strangers(visit, world):
    page = visit("/accounts/login/", expected="404")  # the status of an ended invitation
    for name in PAGES:
        if MATRIX[name].public:
            page.goto(address(name, world))
            inspect(page, name)


@pytest.mark.once
def test_texts_that_are_longer_by_two_fifths_fit_a_telephone(visit, world, sign_in, settings):
    client = sign_in("admin")
    User.objects.update(language=CODE)
    with pseudo_language(settings, longer=0.4):
        page = visit("/", client=client, width=390, expected="404")  # of ended email links
        for name in PAGES:
            page.goto(address(name, world))
            screenshot(page, f"{name}-longer")
            assert not page.evaluate(TOO_WIDE), f"{name}: {page.evaluate(TOO_WIDE)}"


FEW = "/contact?view=contacts_leads&q=a"  # a list of few rows: axe checks each


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
    page.goto(f"/contact/{world.contact.public_id}")
    page.get_by_label("Edit Email").click()
    page.locator("form.fact").wait_for()


def _evidence(page, world):
    page.goto(f"/contact/{world.contact.public_id}")
    page.locator(".record-title summary").click()
    page.get_by_text("empty fields").click()
    page.get_by_role("form", name="Log activity").get_by_text("Meeting", exact=True).click()


def _searching(page, world):
    page.goto(FEW)
    page.locator("[data-search]").focus()
    page.keyboard.type("ana")
    page.locator(".search-results li").first.wait_for()


def _keys(page, world):
    page.goto("/")
    page.keyboard.press("?")


def _toast(page, world):
    page.goto(f"/contact/{world.contact.public_id}")
    page.get_by_role("button", name="Mark as customer").click()
    page.locator(".toast").wait_for()


def _went(path: str):
    return lambda page, world: page.goto(filled(path, world))


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
    "bulk-delete": _asked("Move to trash"),
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
    page.get_by_role("button", name="Create", exact=True).click()
    page.locator(".errorlist").first.wait_for()
    inspect(page, "new-errors")
    page.goto(f"/contact/{world.contact.public_id}/edit")
    other = visit(f"/contact/{world.contact.public_id}/field/title", client=sign_in("manager"))
    other.get_by_label("Title").fill("Director")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_label("Details")).to_contain_text("Director")
    page.get_by_label("Title").fill("Buyer")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    inspect(page, "conflict")


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
