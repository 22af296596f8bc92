"""The timeline as sentences: who, what, when, by which channel, from and to."""

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import timeline as module
from audit.models import Entry
from audit.undo.undo import undo
from contacts import timeline
from contacts.engagement import NewEngagement
from contacts.models import Activity, Company, Contact
from contacts.verbs.capture import capture
from contacts.verbs.complete import complete
from contacts.verbs.create import create
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.engage import engage
from contacts.verbs.enrich import enrich
from contacts.verbs.log import log
from contacts.verbs.lose import lose
from contacts.verbs.merge import merge
from contacts.verbs.override import override
from contacts.verbs.qualify import qualify
from contacts.verbs.set_status import set_status
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.kit import clock
from crm.kit.actor import Channel, system
from crm.kit.ids import new_id
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from crm.workflows.models import Run, StepRun, Workflow, WorkflowVersion
from leads.jobs import notice_overdue
from leads.models import Lead
from leads.scoring.runs import finish_scoring_run, open_run
from tests.factories import make_activity, make_company, make_contact, make_field, rows

TAG = re.compile(r"<[^>]+>")


def items(record, by):
    record = type(record).objects.get(pk=record.pk)
    of = timeline.of_company if isinstance(record, Company) else timeline.of_contact
    return of(record, by)[0]


def latest(record, by):
    return items(record, by)[0]


def said(item) -> str:
    """Return the sentence without its author."""
    return unescape(TAG.sub("", item.sentence)).removeprefix(f"{item.who} ")


def told(item) -> list[tuple[str, str, str]]:
    return [(d.label, d.old, d.new) for d in item.differences]


def lines(client, record) -> list[str]:
    """Return the page's timeline, one line per item, without buttons."""
    page = client.get(record.get_absolute_url()).content.decode()
    part = page[page.index('id="timeline"') :].split("</ol>")[0]
    texts = [TAG.sub(" ", line) for line in re.split(r"<li\b", part)[1:]]
    return [" ".join(unescape(text.split(">", 1)[-1]).split()) for text in texts]


@pytest.mark.parametrize(
    "run, text, differences, note",
    [
        (lambda c, by: edit(rows(c), {"title": "CFO"}, by=by), "set Title to CFO", [("Title", "(empty)", "CFO")], ""),
        (
            lambda c, by: edit(rows(c), {"first_name": "Ana", "phone": "1"}, by=by),
            "changed 2 fields",
            [("First name", "(empty)", "Ana"), ("Phone", "(empty)", "1")],
            "",
        ),
        (
            lambda c, by: assign(rows(c), "mate@acme.example", by=by),
            "changed Owner: Rep → Mate",
            [("Owner", "Rep", "Mate")],
            "",
        ),
        (
            lambda c, by: qualify(rows(c), by=by),
            "qualified this contact",
            [("Lifecycle Stage", "Lead", "Qualified")],
            "",
        ),
        (
            lambda c, by: lose(rows(c), by=by, reason="no budget"),
            "marked this contact as lost",
            [("Lifecycle Stage", "Lead", "Lost")],
            "no budget",
        ),
        (
            lambda c, by: override(rows(c), to="customer", by=by, reason="signed"),
            "overrode the lifecycle stage",
            [("Lifecycle Stage", "Lead", "Customer")],
            "signed",
        ),
        (
            lambda c, by: set_status(rows(c), "bounced", by=by),
            "changed the status",
            [("Status", "Active", "Bounced")],
            "",
        ),
        (
            lambda c, by: enrich(rows(c), {"title": "CFO"}, by=by, source="Register"),
            "enriched this contact",
            [("Title", "(empty)", "CFO")],
            "Register",
        ),
        (lambda c, by: delete(rows(c), by=by, reason="asked to"), "moved this contact to the trash", [], "asked to"),
        (
            lambda c, by: capture([{"email": c.email, "phone": "1"}], by=by, source="Chat"),
            "updated this contact from a new inquiry",
            [("Phone", "(empty)", "1"), ("Source", "(empty)", "Chat")],
            "Source: Chat",
        ),
    ],
    ids=["edit", "edit two", "assign", "qualify", "lose", "override", "status", "enrich", "delete", "capture"],
)
def test_what_a_verb_did(run, text, differences, note, acme, cast, actor):
    contact, by = make_contact(owner=cast.rep), actor("manager")
    run(contact, by)
    item = latest(contact, actor("manager"))
    assert (item.who, said(item), item.note, item.channel) == ("Manager", text, note, "")
    assert sorted(told(item)) == sorted(differences)
    assert item.warning == (text == "overrode the lifecycle stage")
    assert item.undo == (None if note.startswith("Source") else by.change)


def test_how_it_began_and_how_it_came_back(acme, actor):
    contact = make_contact("Ana", source="Webinar", by=actor("rep"), owner=None)
    began = latest(contact, actor("rep"))
    assert (began.who, said(began), began.differences, began.undo) == (
        "Rep",
        "created this contact",
        [],
        None,
    )
    delete(rows(contact), by=actor("manager"), reason="twice")
    restore(rows(contact), by=actor("manager"))
    assert said(latest(contact, actor("rep"))) == "restored this contact"


@pytest.mark.parametrize(
    "channel, words",
    [
        (Channel.WEB, ""),
        (Channel.API, "via API"),
        (Channel.MCP, "via AI assistant"),
        (Channel.IMPORT, "via import"),
        (Channel.COMMAND, "via command line"),
        (Channel.WORKFLOW, "via workflow"),
        (Channel.ADMIN, "via admin"),
        (Channel.SYSTEM, ""),
    ],
)
def test_through_which_channel(channel, words, acme, cast, actor):
    contact = make_contact()
    edit(rows(contact), {"title": "CFO"}, by=cast.rep.actor(channel))
    assert latest(contact, actor("rep")).channel == words
    edit(rows(contact), {"title": "CEO"}, by=system(acme.pk, channel))
    assert latest(contact, actor("rep")).who == "Throughline"


def test_custom_fields_go_by_their_label_also_once_archived(acme, cast, actor):
    field = make_field("fleet_size", "number", "Size of the fleet")
    make_field("tier", "select", "Tier", choices=[{"value": "a", "label": "Gold"}])
    make_field("seller", "user", "Seller")
    contact = make_contact()
    edit(rows(contact), {"fleet_size": "12", "tier": "a", "seller": cast.mate.pk}, by=actor("manager"))
    expected = [("Seller", "(empty)", "Mate"), ("Size of the fleet", "(empty)", "12"), ("Tier", "(empty)", "Gold")]
    assert sorted(told(latest(contact, actor("manager")))) == expected
    archive_custom_field(field, by=actor("admin"))
    assert ("Fleet size", "(empty)", "12") in told(latest(contact, actor("manager")))


def test_links_go_by_name(acme, cast, actor):
    metro, boss = make_company("Metro"), make_contact("Boss")
    contact = make_contact()
    edit(rows(contact), {"company": metro.pk, "manager": boss.pk, "team": cast.iberia.pk}, by=actor("manager"))
    seen = {difference for item in items(contact, actor("manager")) for difference in told(item)}
    assert {("Company", "(empty)", "Metro"), ("Reports to", "(empty)", "Boss"), ("Team", "(empty)", "Iberia")} <= seen


def test_activities_are_told_with_their_kind(acme, actor):
    contact = make_contact()
    make_activity("Discovery", contact=contact)
    make_activity("Hello", kind="email", contact=contact)
    task = make_activity("Send pricing", kind="task", contact=contact)
    texts = [said(item) for item in items(contact, actor("manager"))]
    assert texts[:3] == ["created a task", "logged an email", "logged a call"]
    complete(rows(task), by=actor("manager"))
    assert said(latest(contact, actor("manager"))) == "completed a task"
    assert latest(contact, actor("manager")).activity == Activity.objects.get(pk=task.pk)


def test_what_was_written_down_has_its_effects_below_it(acme, actor):
    contact = make_contact()
    edit(Lead.objects.filter(contact=contact), {"fleet_size": 300, "country": "DE"}, by=actor("manager"))
    for subject in ("Visit", "Demo", "Signing"):  # the third raises the score to 70 points
        make_activity(subject, kind="meeting", contact=contact)
    assert Lead.objects.get(contact=contact).stage == "sales_qualified"
    first = latest(contact, actor("manager"))
    assert (first.who, said(first), first.subject) == ("Manager", "logged a meeting", "Signing")
    assert [(effect.label, effect.old, effect.new) for effect in first.effects] == [
        ("Engagement", "(empty)", "Meeting booked"),
        ("Qualification stage", "Marketing Qualified", "Sales Qualified"),
        ("Lead status", "Working", "Qualified"),
        ("Lifecycle Stage", "Lead", "Qualified"),
    ]


@pytest.mark.parametrize(
    "run, text",
    [
        (lambda c, by: edit(rows(c), {"title": "CFO"}, by=by), "undid a change: Contact changed"),
        (lambda c, by: qualify(rows(c), by=by), "undid a change: Contact qualified"),
        (lambda c, by: assign(rows(c), None, by=by), "undid a change: Contact assigned"),
        (lambda c, by: delete(rows(c), by=by, reason="x"), "undid a change: Contact moved to trash"),
    ],
)
def test_an_undo_says_what_it_took_back(run, text, acme, cast, actor):
    contact, by = make_contact(owner=cast.rep), actor("manager")
    run(contact, by)
    before = told(latest(contact, actor("manager")))
    undo(by.change, by=actor("manager"))
    item = latest(contact, actor("manager"))
    assert (said(item), item.note) == (text, "")
    assert told(item) == [(label, new, old) for label, old, new in before]


def test_the_product_and_workflows_are_credited_with_what_they_do(acme, cast, actor):
    contact = make_contact(owner=cast.rep)
    lead = Lead.objects.get(contact=contact)
    engage([NewEngagement(contact.pk, "demo_request", clock.now())], by=actor("rep"))
    edit(rows(lead), {"fleet_size": 300, "country": "DE"}, by=actor("rep"))
    first = latest(contact, actor("rep"))
    assert (first.who, said(first), first.about) == ("Rep", "changed the lead", [])
    assert ("Fleet size", "(empty)", "300") in told(first)
    assert ("Qualification stage", "Top of Funnel", "Marketing Qualified") in [
        (each.label, each.old, each.new) for each in first.effects
    ]
    flow = Workflow.objects.create(name="Welcome", owner=cast.rep)
    version = WorkflowVersion.objects.create(workflow=flow, number=1, trigger={}, steps=[], created_at=clock.now())
    run = Run.objects.create(
        workflow=flow,
        version=version,
        key="k",
        root="k",
        entity="contact",
        record_id=contact.pk,
        started_at=clock.now(),
    )
    by = cast.rep.actor(Channel.WORKFLOW)
    edit(rows(contact), {"title": "CFO"}, by=by)
    facts = {"position": 0, "kind": "change_field", "status": "done", "at": clock.now()}
    StepRun.objects.create(run=run, change=by.change, **facts)
    assert (latest(contact, actor("rep")).who, latest(contact, actor("rep")).channel) == ("Workflow “Welcome”", "")
    with clock.at(clock.now() + timedelta(days=90)):
        finish_scoring_run(open_run(by=actor("admin")), by=actor("admin"))
    alone = latest(contact, actor("rep"))
    assert (alone.who, said(alone), alone.channel) == ("Throughline", "updated the lead’s score", "")


def test_no_line_shows_an_internal_name_or_a_raw_time(acme, cast, actor, sign_in):
    contact = make_contact(owner=cast.rep)
    call = make_activity(contact=contact, outcome="no_answer")
    edit_activity(rows(call), {"outcome": "connected"}, by=actor("rep"))
    changed = latest(contact, actor("rep"))
    assert (said(changed), told(changed)) == ("changed a call", [("Outcome", "No answer", "Connected")])
    logged = actor("rep")
    make_activity("Twice", contact=contact, by=logged)
    undo(logged.change, by=actor("rep"))
    assert (said(latest(contact, actor("rep"))), latest(contact, actor("rep")).note) == (
        "undid a change: Activity logged",
        "",
    )
    other = make_contact(owner=cast.rep)
    with clock.at(clock.now() + timedelta(days=3)):
        notice_overdue(clock.now())
        overdue = latest(other, actor("rep"))
        assert (overdue.who, said(overdue), told(overdue)) == ("Throughline", "marked the first contact as overdue", [])
    page = " ".join(lines(sign_in("rep"), contact) + lines(sign_in("rep"), other))
    assert not re.search(r"\b[a-z]+\.[a-z_]+\b|\d{4}-\d\d-\d\dT|from nothing|_at\b", page), page


def test_undo_is_offered_to_whom_it_is_allowed(acme, cast, actor):
    contact = make_contact(owner=cast.rep, team=cast.iberia)
    edit(rows(contact), {"title": "CFO"}, by=actor("rep"))
    offered = {who: latest(contact, actor(who)).undo is not None for who in ("rep", "mate", "manager")}
    assert offered == {"rep": True, "mate": False, "manager": True}


def test_the_lines_stand_on_the_page(acme, cast, sign_in, actor):
    contact = make_contact("Ana", owner=cast.rep)
    edit(rows(contact), {"title": "<b>CFO</b>"}, by=actor("rep"))
    lose(rows(contact), by=actor("manager"), reason="no budget")
    found = lines(sign_in("viewer"), contact)
    assert re.fullmatch(
        r"Manager marked this contact as lost \( Lead → Lost \) · .* no budget Lead status New → Lost", found[0]
    )
    assert "Rep set Title to <b>CFO</b>" in found[1].replace("&lt;", "<").replace("&gt;", ">")
    assert "Manager created this contact" in found[2]


def test_pages_of_the_timeline_tell_everything_once(acme, sign_in, actor):
    contact = make_contact("Ana")
    for n in range(70):
        edit(rows(contact), {"title": f"T{n}"}, by=actor("manager"))
    found, before = [], ""
    while True:
        page, _, before = timeline.of_contact(contact, actor("manager"), before)
        found += [d.new for item in page for d in item.differences]
        if not before:
            break
    assert found == [f"T{n}" for n in reversed(range(70))]
    for before in ("nonsense~x", "2026-01-01T00:00:00~99999999999999999999999", "0001-01-01T00:00:00+14:00~1"):
        response = sign_in("manager").get(f"{contact.get_absolute_url()}/timeline", {"before": before})
        assert response.status_code == 400


def pages(contact, by) -> list[list]:
    """Return the items of each page of a contact's timeline."""
    found, before = [], ""
    while not found or before:
        items, _, before = timeline.of_contact(contact, by, before)
        found.append(items)
    return found


@pytest.mark.parametrize("most", [100, 10])
def test_a_merge_is_one_line_however_much_it_moved(most, acme, actor, monkeypatch):
    """Its entries exceed a page, and the number read per action."""
    monkeypatch.setattr(module, "MOST", most)
    contact, twin = make_contact("Ana"), make_contact("A. R.")
    log([{"kind": "note", "subject": f"N{n}", "contact_id": twin.pk} for n in range(40)], by=actor("manager"))
    merge(contact, rows(twin), by=(merged := actor("manager")))
    edit(rows(contact), {"title": "CFO"}, by=actor("manager"))
    told = [item for page in pages(contact, actor("manager")) for item in page]
    assert [(said(item), item.note) for item in told if item.undo == merged.change] == [
        ("merged “A. R.” into this contact", "40 activities moved")
    ]
    undo(merged.change, by=actor("manager"))
    texts = [said(item) for page in pages(contact, actor("manager")) for item in page]
    assert texts[:3] == ["unmerged a duplicate", "set Title to CFO", "merged “A. R.” into this contact"]


def test_two_actions_at_once_stand_on_one_page_each(acme, actor, monkeypatch):
    """Their entries are interleaved across a page break."""
    monkeypatch.setattr(module, "PAGE", 1)
    contact, first, second = make_contact("Ana"), actor("manager"), actor("manager")
    for n in range(3):
        edit(rows(contact), {"title": f"T{n}"}, by=first)
        edit(rows(contact), {"phone": f"{n}"}, by=second)
    told = [[{d.label for d in item.differences} for item in page] for page in pages(contact, actor("manager"))]
    assert told == [[{"Phone"}], [{"Title"}], [set()]]


def test_a_company_has_one_too(acme, actor):
    company = make_company("Metro")
    edit(rows(company), {"city": "Madrid"}, by=actor("manager"))
    make_activity("Visit", kind="meeting", company=company)
    first, second, third = items(company, actor("manager"))
    assert (said(first), told(second), said(third)) == (
        "logged a meeting",
        [("City", "(empty)", "Madrid")],
        "created this company",
    )


def statements(client, url) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    ours = [q for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]
    return len(ours)


def multiply(model, times: int, **fresh) -> None:
    """Multiply a model's rows, identical except for keys and the values in `fresh`."""
    found = list(model.objects.all())
    for _ in range(times):
        for row in found:
            row.pk = None
            for name, make in fresh.items():
                setattr(row, name, make())
        model.objects.bulk_create(found)


@pytest.mark.once
class TestStatements:
    """PERFORMANCE: a record's page takes at most twenty statements, a list five, with any data."""

    def test_a_record_with_much_history_takes_no_more_than_one_with_little(self, acme, cast, sign_in, actor):
        contact = make_contact("Ana", owner=cast.rep, company=make_company(), manager=make_contact("Boss"))
        for n in range(5):
            edit(
                rows(contact), {"title": f"T{n}", "owner": cast.mate.pk if n % 2 else cast.rep.pk}, by=actor("manager")
            )
            make_activity("Call", contact=contact)
        clients, url = [sign_in(who) for who in ("rep", "manager")], contact.get_absolute_url()
        few = [statements(client, url) for client in clients]
        multiply(Entry, 100, change=uuid4)
        multiply(Activity, 100, public_id=lambda: new_id("activity"))
        assert max(few) <= 20
        for client, before in zip(clients, few, strict=True):
            assert statements(client, url) <= before

    def test_a_list_of_a_hundred_takes_no_more_than_one_of_ten(self, acme, cast, sign_in, actor):
        company, clients = make_company(), [sign_in(who) for who in ("rep", "manager")]
        create([{"name": f"P{n}", "owner": cast.rep.pk, "company": company.pk} for n in range(10)], by=actor("manager"))
        few = [statements(client, "/contact?view=all") for client in clients]
        others = [make_company() for _ in range(9)]
        people = [{"name": f"Q{n}", "owner": cast.mate.pk, "company": others[n // 10].pk} for n in range(90)]
        create(people, by=actor("manager"))
        assert max(few) <= 5
        assert [statements(client, "/contact?view=all") for client in clients] == few
        assert Contact.objects.count() == 100
