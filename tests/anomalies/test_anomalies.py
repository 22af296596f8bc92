"""Exceptions are detected, shown to viewers of the record, waived, and deleted with their cause."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.create import create
from contacts.verbs.lose import lose as lose_contact
from contacts.verbs.override import override
from contacts.verbs.qualify import qualify as qualify_contact
from contacts.verbs.reopen import reopen
from crm.anomalies.detect import detect
from crm.anomalies.jobs import find_anomalies
from crm.anomalies.kinds import ANOMALY_KINDS
from crm.anomalies.listing import PAGE
from crm.anomalies.models import Finding, UnreadableSetting, Waiver
from crm.anomalies.verbs.end_waivers import end_waivers
from crm.anomalies.verbs.waive import waive
from crm.kit import clock
from crm.kit.errors import Invalid
from crm.lifecycle.guards import install_shipped
from crm.opportunities.verbs.lose import lose as lose_opportunity
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from leads.models import Lead
from leads.verbs.first_contact import first_contact
from leads.verbs.lose_leads import lose_leads
from leads.verbs.qualify import qualify
from leads.verbs.reactivate import reactivate
from tests.factories import make_contact, make_opportunity, rows
from tests.leads.factories import score

NOW = timezone.now()
pytestmark = pytest.mark.usefixtures("acme")


def found(**where) -> list[str]:
    """Return the kinds of exception after a full detection."""
    find_anomalies(NOW)
    return sorted(Finding.objects.filter(**where).values_list("kind", flat=True))


def evidence(kind: str) -> str:
    return Finding.objects.get(kind=kind).evidence


@pytest.fixture
def ana(cast):
    return make_contact("Ana", owner=cast.rep)


@pytest.fixture
def lead(ana):
    return Lead.objects.get(contact=ana)


def test_nothing_is_wrong_with_what_is_right(lead):
    assert found() == []


def test_a_qualified_lead_whose_stage_fell(lead):
    Lead.objects.filter(pk=lead.pk).update(status="qualified", stage="marketing_qualified")
    assert found() == ["lead_below_its_status"]
    assert evidence("lead_below_its_status") == "Score 0.0, below 70"
    Lead.objects.filter(pk=lead.pk).update(stage="sales_qualified")
    assert "lead_below_its_status" not in found()


def test_a_contact_behind_its_sales_qualified_lead_with_the_guard_s_sentence(cast, actor, lead, ana):
    install_shipped()
    edit(rows(ana), {"email": ""}, by=actor("rep"))
    qualify(rows(lead), to="sales_qualified", by=actor("rep"), reason="Met them")
    assert found(kind="contact_held_back") == ["contact_held_back"]
    assert evidence("contact_held_back") == "Email required for qualification"
    edit(rows(ana), {"email": "ana@x.example"}, by=actor("rep"))
    find_anomalies(NOW)
    assert evidence("contact_held_back") == "Lead score too low"
    score(lead, 400)
    find_anomalies(NOW)
    assert evidence("contact_held_back") == "Requirements met – ready to qualify"
    override(rows(ana), to="qualified", by=actor("manager"), reason="x")
    assert found(kind="contact_held_back") == []


def test_what_is_lost_without_a_reason(cast, actor, ana, lead):
    other = Lead.objects.get(contact=make_contact(owner=cast.rep))
    lose_contact(rows(ana), by=actor("rep"))
    lose_leads(rows(other), by=actor("rep"))
    make_opportunity(contact=make_contact(owner=cast.rep), owner=cast.rep)
    expected = ["contact_lost_unexplained", "lead_lost_unexplained", "lead_lost_unexplained"]
    assert found() == expected
    reopen(rows(ana), by=actor("manager"), reason="They called")
    assert "contact_lost_unexplained" not in found()


def test_what_is_lost_with_a_reason_or_came_as_lost_is_none(cast, actor, ana):
    lose_contact(rows(ana), by=actor("rep"), reason="No budget")
    assert found() == []


def test_an_opportunity_lost_without_a_reason(cast, actor, ana):
    deal = make_opportunity(contact=ana, owner=cast.rep)
    lose_opportunity(rows(deal), by=actor("rep"))
    assert found() == ["opportunity_lost_unexplained"]


def test_a_first_contact_that_is_overdue(cast, actor):
    with clock.at(NOW - timedelta(hours=30)):
        late = Lead.objects.get(contact=make_contact(owner=cast.rep))
    assert found() == ["lead_overdue"]
    assert Finding.objects.get().since == late.contact_by
    first_contact(rows(late), by=actor("rep"))
    assert found() == []


def test_an_override_until_it_is_reviewed_undone_or_forgotten(cast, actor, ana):
    by = actor("manager")
    override(rows(ana), to="customer", by=by, reason="Paid already")
    assert found() == ["contact_overridden", "lead_on_settled"]
    assert evidence("contact_overridden") == "Lead → Customer: Paid already"
    assert evidence("lead_on_settled") == "Contact is Customer"
    with clock.at(NOW + timedelta(days=31)):
        assert "contact_overridden" not in found()
    undo(by.change, by=actor("manager"))
    assert found() == []


def test_a_lead_that_was_reactivated(cast, actor, lead):
    lose_leads(rows(lead), by=actor("rep"), reason="x")
    reactivate(rows(lead), by=actor("manager"), reason="They called")
    assert found() == ["lead_reactivated"]
    assert evidence("lead_reactivated") == "Lost → Working: They called"


def test_what_belongs_to_nobody(cast, actor):
    nobody = make_contact()
    assert found() == ["contact_unowned", "lead_unowned"]
    assign(rows(nobody), cast.rep, by=actor("manager"))
    assert found() == []


def test_looking_again_changes_nothing_and_says_what_is_new(cast, actor):
    nobody = make_contact()
    find_anomalies(NOW)
    before = list(Finding.objects.values())
    find_anomalies(NOW)
    assert list(Finding.objects.values()) == before
    assign(rows(nobody), None, by=actor("manager"), team=cast.nordics)
    find_anomalies(NOW)
    assert set(Finding.objects.values_list("team", flat=True)) == {cast.nordics.pk}
    delete(rows(nobody), by=actor("manager"), reason="x")
    Lead.objects.filter(contact=nobody).update(deleted_at=NOW)
    assert found() == []


def test_a_look_at_many_is_as_many_statements_as_at_few(actor):
    counted = []
    find_anomalies(NOW)  # fills the caches
    for size in (2, 200):
        create([{"name": f"{size} {n}", "owner": None} for n in range(size)], by=actor("manager"))
        Contact.objects.update(owner=None)
        Lead.objects.update(owner=None)
        with CaptureQueriesContext(connection) as captured:
            find_anomalies(NOW)
        counted.append(len(captured))
    assert counted[0] == counted[1]
    assert Finding.objects.filter(kind="lead_unowned").count() == 202


def test_what_makes_or_mends_one_is_looked_at_at_once(actor, cast, ana, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        lose_contact(rows(ana), by=actor("rep"))
    kinds = {"contact_lost_unexplained", "lead_lost_unexplained"}
    assert set(Finding.objects.values_list("kind", flat=True)) == kinds
    with django_capture_on_commit_callbacks(execute=True):
        reopen(rows(ana), by=actor("manager"), reason="They called")
    assert not Finding.objects.filter(kind="contact_lost_unexplained").exists()


def shown(client, query: str = "") -> list[str]:
    page = client.get(f"/exceptions{query}").content.decode()
    return re.findall(r'<span class="primary">([^<]*)</span>', page)


def test_who_sees_the_record_sees_the_exception(cast, sign_in):
    make_contact("Open")
    make_contact("Hidden", team=cast.nordics)
    find_anomalies(NOW)
    assert shown(sign_in("rep")) == ["Open", "Open"]
    assert sorted(shown(sign_in("manager"))) == ["Hidden", "Hidden", "Open", "Open"]
    assert shown(sign_in("globex_rep")) == []
    # The finding's copy of the team may be older than the record's.
    Contact.objects.filter(name="Open").update(team=cast.nordics)
    Lead.objects.filter(contact__name="Open").update(team=cast.nordics)
    assert shown(sign_in("rep")) == []
    page = sign_in("manager").get("/exceptions").content.decode()
    assert re.search(r'Exceptions<span class="nav-count">4<', page)


def test_they_are_filtered_by_kind_and_owner_and_paged(cast, actor, sign_in):
    create([{"name": f"Person {n:03}", "owner": cast.rep} for n in range(PAGE + 5)], by=actor("manager"))
    Lead.objects.update(contact_by=NOW - timedelta(hours=1))
    make_contact("Nobody's")
    find_anomalies(NOW)
    client = sign_in("rep")
    assert shown(client, "?kind=contact_unowned") == ["Nobody&#x27;s"]
    assert len(shown(client, "?owner=nobody")) == 2
    assert len(shown(client, f"?owner={cast.mate.pk}")) == 0
    first = client.get("/exceptions?owner=me").content.decode()
    following = re.search(r'rel="next" href="([^"]*)"', first)[1].replace("&amp;", "&")
    both = shown(client, "?owner=me") + shown(client, following)
    assert len(both) == len(set(both)) == PAGE + 5


def test_each_offers_what_helps(cast, sign_in):
    contact = make_contact("Ana")
    find_anomalies(NOW)
    client = sign_in("rep")
    page = client.get("/exceptions").content.decode()
    lead = Lead.objects.get(contact=contact)
    addresses = [f"/contact/{contact.public_id}/field/owner", f"/qualification/{lead.public_id}/field/owner"]
    for address in addresses:
        assert f'href="{address}"' in page and client.get(address).status_code == 200
    records = {"lead": lead, "contact": contact, "unreadable_setting": UnreadableSetting(url="/settings/")}
    for kind in ANOMALY_KINDS.values():
        assert kind.url(records.get(kind.entity) or make_opportunity())


def test_a_waiver_holds_until_its_day_or_until_it_begins_again(cast, actor, sign_in):
    ana = make_contact("Ana", owner=cast.rep)
    override(rows(ana), to="partner", by=actor("manager"), reason="One")
    find_anomalies(NOW)
    client, until = sign_in("rep"), timezone.localdate() + timedelta(days=10)
    address = f"/exceptions/contact_overridden/{ana.public_id}/waive"
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": "", "until": until}).status_code == 422
    assert client.post(address, {"reason": "Reviewed", "until": until}).status_code == 302
    assert "Stage overridden" not in body(client) and "Reviewed" in body(client, "?show=waived")
    entry = Entry.objects.get(event="waiver.created")
    assert (entry.note, entry.new_values["kind"], entry.new_values["record_id"]) == (
        "Reviewed",
        "contact_overridden",
        ana.pk,
    )
    with clock.at(NOW + timedelta(days=11)):
        assert Finding.objects.unwaived().filter(kind="contact_overridden").exists()
    override(rows(ana), to="churned", by=actor("manager"), reason="Two")
    find_anomalies(NOW)
    assert "Partner → Churned: Two" in body(client)


def body(client, query: str = "") -> str:
    page = client.get(f"/exceptions{query}").content.decode()
    return page[page.index("<tbody>") :] if "<tbody>" in page else ""


def test_a_waiver_is_taken_back(cast, actor, sign_in):
    nobody = make_contact("Ana")
    find_anomalies(NOW)
    waive(rows(nobody), "contact_unowned", by=actor("rep"), reason="x", until=NOW + timedelta(days=3))
    assert "Contact without an owner" not in body(sign_in("rep"))
    sign_in("rep").post(f"/exceptions/contact_unowned/{nobody.public_id}/list")
    assert "Contact without an owner" in body(sign_in("rep"))
    assert Waiver.objects.get().until <= timezone.now()


def test_who_may_not_change_the_record_may_not_waive(cast, actor):
    theirs = make_contact("Ana", owner=cast.outsider)
    override(rows(theirs), to="partner", by=actor("manager"), reason="x")
    find_anomalies(NOW)
    until = NOW + timedelta(days=3)
    for who in ("rep", "viewer"):
        assert waive(rows(theirs), "contact_overridden", by=actor(who), reason="x", until=until).refused
        assert end_waivers(rows(theirs), "contact_overridden", by=actor(who)).refused
    assert waive(rows(theirs), "contact_overridden", by=actor("manager"), reason="x", until=until).done
    assert waive(rows(theirs), "contact_unowned", by=actor("manager"), reason="x", until=until).refused
    for wrong in ({"until": NOW - timedelta(days=1)}, {"until": NOW + timedelta(days=400)}, {"reason": " "}):
        with pytest.raises(Invalid):
            waive(rows(theirs), "contact_overridden", by=actor("manager"), **({"reason": "x", "until": until} | wrong))


def test_a_conflict_of_two_looks_is_none(cast):
    make_contact()
    kind = ANOMALY_KINDS["lead_unowned"]
    detect(kind)
    Finding.objects.update(evidence="Another sentence")
    detect(kind)
    assert evidence("lead_unowned") == "No assignment rule matched and no one in the pool was available"


def test_a_contact_may_be_qualified_again_without_an_exception(cast, actor, ana):
    qualify_contact(rows(ana), by=actor("rep"))
    assert found() == []
