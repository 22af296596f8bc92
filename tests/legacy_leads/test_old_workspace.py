"""/lead before the migration's commit: as reps knew it; read-only while it runs; afterwards Active Leads."""

import pytest
from django.utils import timezone

from contacts.models import Contact
from contacts.verbs.merge import merge
from crm.kit.errors import Invalid, NotAllowed, Refused
from crm.legacy_leads.models import LegacyLead, LegacyVisit, MigrationRun
from crm.legacy_leads.verbs.create_legacy_leads import create_legacy_leads
from tests.factories import make_contact

pytestmark = pytest.mark.once

ACTIVE_LEADS = "/contact?view=contacts_leads"
ENTRY = "Legacy leads"


def begin(state="running"):
    return MigrationRun.objects.create(state=state, started_at=timezone.now())


def test_reps_work_in_it_as_before(old, sign_in, cast):
    lead, rep = old("Ana Ruiz", owner=cast.rep, email="ana@x.example"), sign_in("rep")
    assert "Ana Ruiz" in rep.get("/lead").text
    assert "Ana Ruiz" in rep.get("/lead?view=all&q=ruiz").text
    assert "Ana Ruiz" in rep.get(f"/lead/{lead.public_id}").text
    made = rep.post("/lead/new", {"first_name": "Bo", "last_name": "Vega", "workspace": "acme", "status": "working"})
    bo = LegacyLead.objects.get(name="Bo Vega")
    assert (made.status_code, made.url, bo.owner, bo.status) == (302, f"/lead/{bo.public_id}", cast.rep, "working")
    values = {"name": "Ana Ruiz", "base-name": "Ana Ruiz", "status": "lost", "base-status": "new", "currency": "EUR"}
    values |= {"base-currency": "EUR", "email": "", "base-email": "ana@x.example", "workspace": "acme"}
    assert rep.post(f"/lead/{lead.public_id}/edit", values).status_code == 302
    lead.refresh_from_db()
    assert (lead.status, lead.email) == ("lost", "")


def test_a_linked_contact_can_be_taken_off(old, sign_in, cast):
    lead = old("Ana", owner=cast.rep, contact=make_contact("Ana"))
    url = f"/lead/{lead.public_id}/field/contact"
    answer = sign_in("rep").post(url, {"contact": "", "base-contact": lead.contact.public_id, "workspace": "acme"})
    lead.refresh_from_db()
    assert (answer.status_code, lead.contact) == (302, None)


def test_it_is_in_the_sidebar_until_the_commit(old, migrate, sign_in):
    client = sign_in("rep")
    assert ENTRY not in client.get("/contact").text
    old("Ana")
    assert ENTRY in client.get("/contact").text
    migrate(commit=True)
    assert ENTRY not in client.get("/contact").text
    migrate(undo=True)
    assert ENTRY in client.get("/contact").text


def test_a_workspace_that_never_had_old_leads_is_led_to_active_leads(acme, sign_in):
    for url in ("/lead", "/lead/new", "/lead/legacy_000000000"):
        assert sign_in("rep").get(url).url == ACTIVE_LEADS
    assert not LegacyVisit.objects.exists()


def test_after_the_commit_every_page_leads_to_active_leads_until_it_is_undone(old, migrate, sign_in):
    lead, left, client = old("Ana"), old("Lost", status="lost"), sign_in("rep")
    migrate(commit=True)
    for url in ("/lead", "/lead?view=all", "/lead/new", "/lead/legacy_000000000"):
        assert client.get(url).url == ACTIVE_LEADS
    assert "Not active: Lost." in client.get(f"/lead/{left.public_id}").text
    ana = Contact.objects.get()
    for url in (f"/lead/{lead.public_id}", f"/lead/{lead.public_id}/edit", f"/lead/{lead.public_id}/timeline"):
        assert client.get(url).url == f"/contact/{ana.public_id}"
    assert client.post("/lead/new", {"name": "Bo", "workspace": "acme"}).url == ACTIVE_LEADS
    migrate(undo=True)
    assert "Ana" in client.get("/lead?view=all").text


@pytest.mark.parametrize("state", ["running", "undoing"])
def test_while_a_migration_runs_it_can_be_read_and_not_changed(state, old, sign_in, cast):
    lead, client = old("Ana", owner=cast.rep), sign_in("rep")
    begin(state)
    assert "Ana" in client.get("/lead?view=all").text
    assert client.get(f"/lead/{lead.public_id}").status_code == 200
    for answer in (
        client.get("/lead/new"),
        client.post("/lead/new", {"name": "Bo", "workspace": "acme"}),
        client.get(f"/lead/{lead.public_id}/edit"),
        client.post(f"/lead/{lead.public_id}/field/name", {"name": "B", "base-name": "Ana", "workspace": "acme"}),
        client.post("/lead/bulk", {"action": "assign", "selected": lead.public_id, "workspace": "acme"}),
    ):
        assert (answer.status_code, "read-only until" in answer.text) == (409, True)
    contact = {"name": "Bo", "workspace": "acme"}
    assert client.post("/contact/new", contact).status_code == 302  # everything else keeps working
    assert LegacyLead.objects.get().name == "Ana"


def test_nothing_is_added_while_a_migration_runs(acme, actor):
    begin()
    with pytest.raises(Refused, match="read-only until"):
        create_legacy_leads([{"name": "Ana"}], by=actor("rep"))


def test_who_does_not_see_the_contact_is_led_to_active_leads(old, migrate, sign_in, cast):
    lead = old("Ana", team=cast.nordics)
    migrate(commit=True)
    assert sign_in("rep").get(f"/lead/{lead.public_id}").url == ACTIVE_LEADS
    assert sign_in("outsider").get(f"/lead/{lead.public_id}").url == Contact.objects.get().get_absolute_url()


def test_the_address_follows_a_merge(old, migrate, sign_in, actor):
    lead, survivor = old("Ana", source="Fair"), make_contact("Survivor")
    migrate(commit=True)
    merge(survivor, Contact.objects.filter(name="Ana"), by=actor("manager"))
    client = sign_in("rep")
    answer = client.get(f"/lead/{lead.public_id}", follow=True)
    assert answer.redirect_chain[-1][0] == survivor.get_absolute_url()
    assert "Created from legacy leads" in answer.text and "Fair" in answer.text


def test_who_may_not_add_and_what_has_no_name_is_refused(acme, actor):
    with pytest.raises(NotAllowed):
        create_legacy_leads([{"name": "Ana"}], by=actor("viewer"))
    with pytest.raises(Invalid, match="Enter a name, an email or a company"):
        create_legacy_leads([{"source": "Web"}], by=actor("rep"))


def test_the_contact_says_where_it_came_from(old, migrate, sign_in, cast):
    old("Ana Ruiz", source="Fair", estimated_value="5", owner=cast.rep)
    migrate(commit=True)
    page = sign_in("rep").get(Contact.objects.get().get_absolute_url()).text
    assert "Created from legacy leads" in page and "No contact was linked to the lead." in page
    assert "Source: legacy leads" in page
