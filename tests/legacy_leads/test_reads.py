"""Every read through the retired table's manager is counted by reader and place, except the product's own."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.merge import merge
from crm.backup.manifest import manifest
from crm.kit import clock
from crm.kit.read_tracking import TableReader, reading_as
from crm.kit.scope import in_workspace
from crm.legacy_leads import reads
from crm.legacy_leads.models import LegacyLead, LegacyVisit
from tests.factories import make_contact, rows


@pytest.fixture
def told(acme):
    """`told()` returns (reader, place) of the reads since its last call or the test's setup."""

    def found():
        reads.flush()
        seen = {(visit.member, visit.place) for visit in LegacyVisit.objects.all()}
        LegacyVisit.objects.all().delete()
        return seen

    return found


@pytest.fixture
def moved(old, migrate, told):
    """Create a migrated legacy lead."""
    lead = old("Ana Ruiz", estimated_value="5", contact=make_contact("Ana"))
    migrate(commit=True)
    told()
    return lead


def test_the_admin(moved, told, sign_in, cast):
    sign_in("admin").get("/admin/legacy_leads/legacylead/")
    assert told() == {(cast.admin, "admin /admin/legacy_leads/legacylead/")}


def test_the_api(moved, told, cast):
    """Whatever the response, for any channel of the actor."""
    with reading_as(lambda: TableReader(cast.rep.pk, "api /~<slug:workspace>/<str:records>")):
        LegacyLead.objects.first()
    assert told() == {(cast.rep, "api /~<slug:workspace>/<str:records>")}


def test_a_command(moved, told, migrate, cast):
    migrate(user="admin@acme.example")
    assert told() == {(cast.admin, "command migrate_leads")}
    migrate()
    assert told() == {(None, "command migrate_leads")}


def test_a_read_in_no_workspace_counts_in_every_one_that_has_old_leads(moved, told, cast):
    with in_workspace(None):
        list(LegacyLead.objects.unscoped())
    reads.flush()
    assert LegacyVisit.objects.count() == 1
    with in_workspace(cast.globex):
        assert not LegacyVisit.objects.exists()


def test_reads_of_a_day_are_one_row_with_their_number_and_the_last_moment(old, sign_in, cast, nobody_reads):
    old("Ana")
    client = sign_in("admin")
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    for minutes in (0, 1):
        with clock.at(noon + timedelta(minutes=minutes)):
            client.get("/admin/legacy_leads/legacylead/")
    visit = LegacyVisit.objects.get()
    assert (visit.member, visit.day, visit.last_at) == (cast.admin, noon.date(), noon + timedelta(minutes=1))
    before = visit.reads
    with clock.at(noon + timedelta(minutes=2)):
        client.get("/admin/legacy_leads/legacylead/")
    visit.refresh_from_db()
    assert visit.reads == before * 3 // 2


@pytest.mark.parametrize("database", ["broken"])
def test_what_cannot_be_written_is_kept(database, moved, told, monkeypatch):
    from django.db import DatabaseError

    write = reads._write

    def fail(*args):
        raise DatabaseError("no")

    monkeypatch.setattr(reads, "_write", fail)
    LegacyLead.objects.first()
    reads.flush()
    monkeypatch.setattr(reads, "_write", write)
    assert len(told()) == 1


class TestNobodyReads:
    def test_the_old_workspace_while_it_is_open(self, old, told, sign_in):
        lead, client = old("Ana"), sign_in("rep")
        told()
        for url in ("/lead", f"/lead/{lead.public_id}"):
            assert client.get(url).status_code == 200
        assert told() == set()

    def test_the_leads_that_were_not_migrated(self, old, migrate, told, sign_in):
        left, client = old("Cy", status="lost"), sign_in("rep")
        migrate(commit=True)
        told()
        for url in ("/lead/archive", "/lead/archive?q=cy", f"/lead/{left.public_id}"):
            assert "Cy" in client.get(url).text
        assert told() == set()

    def test_the_migration_page_and_its_report(self, moved, told, sign_in):
        client = sign_in("admin")
        assert client.get("/settings/lead-migration/").status_code == 200
        assert client.post("/settings/lead-migration/plan/", {"workspace": "acme"}).status_code == 302
        for file in ("plan", "report"):
            assert b"Ana Ruiz" in b"".join(client.get(f"/settings/lead-migration/{file}.csv").streaming_content)
        assert told() == set()

    def test_redirects(self, moved, told, sign_in):
        for url in ("/lead", "/lead?view=all", f"/lead/{moved.public_id}", "/lead/new"):
            assert sign_in("rep").get(url).status_code == 302
        assert told() == set()

    def test_the_contact_it_became_and_every_other_page(self, moved, told, sign_in, actor):
        ana, client = Contact.objects.get(), sign_in("admin")
        assert "Created from legacy leads" in client.get(ana.get_absolute_url()).text
        for url in ("/", "/contact", "/contact?q=ana", "/company", "/opportunity", "/qualification", "/exceptions"):
            assert client.get(url, follow=True).status_code == 200, url
        for url in (
            "/admin/",
            "/admin/legacy_leads/migrationrun/",
            "/admin/legacy_leads/oldleads/",
            "/admin/legacy_leads/legacyvisit/",
        ):
            assert client.get(url).status_code == 200, url
        assert told() == set()

    def test_what_happens_to_contacts(self, moved, told, actor):
        made = actor("manager")
        twin = make_contact("Twin", by=made)
        undo(made.change, by=actor("manager"))
        twin = make_contact("Twin")
        by = actor("manager")
        merge(Contact.objects.get(name="Ana"), rows(twin), by=by)
        assert told() == set()

    def test_a_backup_and_the_status(self, moved, told, migrate):
        manifest()
        migrate(status=True)
        assert told() == set()

    def test_export_rehearsal_and_drop(self, moved, told, tmp_path):
        file = str(tmp_path / "old.jsonl")
        call_command("export_legacy_leads", file, workspace="acme")
        call_command("export_legacy_leads", file, workspace="acme", rehearse=True)
        with pytest.raises(SystemExit):
            call_command("drop_legacy_leads", workspace="acme")
        assert told() == set()


def test_the_status_says_who_read_last_and_from_when_on_it_may_go(old, migrate, sign_in, nobody_reads):
    old("Ana")
    migrate(commit=True)
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=3)
    with clock.at(noon):
        sign_in("admin").get("/admin/legacy_leads/legacylead/")
    report = migrate(status=True)[1]
    assert (report["state"], report["readers"]) == ("committed", 1)
    assert report["last_read"].startswith(f"{noon:%Y-%m-%d %H:%M} by Admin (admin /admin/legacy_leads/legacylead/")
    assert report["droppable"] == (noon + timedelta(days=90)).isoformat()
