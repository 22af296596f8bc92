"""Settings → Lead migration: plan, commit and undo in the browser; runs continue after a crash."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Contact
from crm.legacy_leads.models import LegacyLead, MigrationRun, MovedLead, OldLeads
from crm.legacy_leads.moving import background, planning
from crm.legacy_leads.moving.background import continue_migration, continue_migrations

pytestmark = pytest.mark.once

URL = "/settings/lead-migration/"


@pytest.fixture
def at_once(monkeypatch):
    for module in (background, planning):
        monkeypatch.setattr(module, "after_commit", lambda work, name: work())


@pytest.fixture
def act(sign_in):
    """`act("commit")` clicks that button as an admin and returns the resulting page."""
    client = sign_in("admin")
    return lambda action, **data: client.post(f"{URL}{action}/", {"workspace": "acme"} | data, follow=True).text


def test_a_plan_shows_what_each_lead_becomes_and_changes_nothing(old, act, sign_in):
    old("Ana <Ruiz>", estimated_value="5")
    old("Bo", status="lost")
    page = act("plan")
    assert "Ana &lt;Ruiz&gt;" in page and "New contact" in page and "Not active: Lost." in page
    assert "Migrate 2 leads" in page and not Contact.objects.exists() and not MigrationRun.objects.exists()
    file = b"".join(sign_in("admin").get(f"{URL}plan.csv?include_lost=on").streaming_content).decode()
    assert file.count("New contact") == 2


def test_a_plan_of_many_is_made_in_the_background_and_shows_how_far_it_is(old, act, monkeypatch):
    old("Ana"), old("Bo")
    monkeypatch.setattr(planning, "AT_ONCE", 1)
    waiting = []
    monkeypatch.setattr(planning, "after_commit", lambda work, name: waiting.append(work))
    assert "0 of 2 leads" in act("plan", include_lost="on")
    waiting[0]()
    plan = OldLeads.objects.get().plan
    assert (plan["include_lost"], plan["done"], plan["figures"]["created"], len(plan["steps"])) == (True, 2, 2, 2)


def test_a_plan_that_stopped_says_so(old, act, sign_in):
    old("Ana")
    act("plan")
    stale = {"figures": None, "done": 0, "at": (timezone.now() - timedelta(minutes=2)).isoformat()}
    OldLeads.objects.update(plan=OldLeads.objects.get().plan | stale)
    assert "The plan stopped after 0 of 1 leads." in sign_in("admin").get(URL).text


def test_a_migration_is_committed_reported_and_undone(old, act, at_once, sign_in):
    old("Ana Ruiz")
    old("Bo", status="lost")
    page = act("commit")
    ana = Contact.objects.get()
    run = MigrationRun.objects.get()
    assert (run.state, run.created, run.left, run.in_background) == ("committed", 1, 1, True)
    assert "Migrated on" in page and "Undo migration of 2 leads" in page
    file = b"".join(sign_in("admin").get(f"{URL}report.csv").streaming_content).decode().splitlines()
    assert ana.public_id in file[1] and "Not migrated,Not active: Lost." in file[2]
    page = act("undo")
    run.refresh_from_db()
    assert (run.state, Contact.objects.count(), MovedLead.objects.count()) == ("undone", 0, 0)
    assert "was undone" in page and LegacyLead.objects.filter(archived_at__isnull=True).count() == 2


def test_while_it_runs_the_page_shows_how_far_it_is_and_offers_nothing_else(old, act, monkeypatch):
    old("Ana")
    monkeypatch.setattr(background, "after_commit", lambda work, name: None)
    page = act("commit")
    assert "0 of 1 leads" in page and "Preview migration" not in page
    assert "Continue migration" not in page
    act("commit")
    assert MigrationRun.objects.count() == 1
    assert "Legacy leads are being migrated" in act("undo")  # not while it runs
    assert MigrationRun.objects.get().state == "running"


def test_a_run_whose_process_died_is_continued_by_the_scheduler(old, act, monkeypatch):
    old("Ana")
    monkeypatch.setattr(background, "after_commit", lambda work, name: None)
    act("commit")
    monkeypatch.setattr(background, "after_commit", lambda work, name: work())
    continue_migrations(timezone.now())
    assert MigrationRun.objects.get().state == "committed"


def test_a_run_of_the_command_is_not_continued_by_the_scheduler(old, monkeypatch):
    old("Ana")
    MigrationRun.objects.create(started_at=timezone.now())
    monkeypatch.setattr(background, "after_commit", lambda work, name: work())
    continue_migrations(timezone.now())
    assert MigrationRun.objects.get().state == "running"


def test_what_refuses_a_run_is_shown_and_it_is_not_tried_again_by_itself(old, act, at_once, monkeypatch):
    from crm.kit.errors import Refused

    def refuse(*args, **kwargs):
        raise Refused("The figures do not add up.")

    old("Ana")
    monkeypatch.setattr(background, "commit", refuse)
    page = act("commit")
    assert "The migration stopped. The figures do not add up." in page and "Continue migration" in page
    monkeypatch.setattr(background, "commit", None)
    continue_migrations(timezone.now())
    assert MigrationRun.objects.get().problem


@pytest.mark.parametrize("stopped", [{"in_background": True, "problem": "It stopped."}, {}])
@pytest.mark.parametrize(("action", "state"), [("commit", "committed"), ("undo", "undone")])
def test_what_stopped_continues_or_is_undone_from_the_page(action, state, stopped, old, act, at_once, sign_in):
    """Also for a run of the command, whose process may have died."""
    old("Ana")
    MigrationRun.objects.create(started_at=timezone.now(), **stopped)
    page = sign_in("admin").get(URL).text
    assert "Continue migration" in page and "Undo migration" in page
    act(action)
    assert MigrationRun.objects.get().state == state


def test_an_undo_that_stopped_is_continued_and_no_migration_starts_before(old, act, at_once):
    old("Ana")
    MigrationRun.objects.create(started_at=timezone.now(), in_background=True, state="undoing", problem="It stopped.")
    assert "is being undone" in act("commit")
    assert "Continue undo" in act("commit")
    act("undo")
    assert MigrationRun.objects.get().state == "undone"


def test_only_admins(old, sign_in):
    old("Ana")
    for who in ("viewer", "rep", "manager"):
        assert sign_in(who).get(URL).status_code == 403
        assert sign_in(who).post(f"{URL}commit/", {"workspace": "acme"}).status_code == 403
    assert sign_in("admin").post(f"{URL}nonsense/", {"workspace": "acme"}).status_code == 404


def test_a_workspace_without_old_leads_says_how_to_import_them(act, sign_in):
    assert "import_legacy_leads" in sign_in("admin").get(URL).text
    assert "There are no legacy leads to migrate." in act("commit")


def test_a_run_that_has_ended_is_not_carried_out_twice(old, act, at_once):
    old("Ana")
    act("commit")
    before = Contact.objects.values_list("version", flat=True)[0]
    continue_migration(MigrationRun.objects.get().pk)
    assert Contact.objects.values_list("version", flat=True)[0] == before


class TestLeadsThatWereNotMigrated:
    @pytest.fixture
    def stayed(self, old, migrate, cast):
        """Create a lost lead visible to all, and one of another team."""
        told = {"email": "cy@x.example", "company_name": "Fleetly", "description": "Wants 5 vans"}
        shown, hidden = old("Cy Löw", status="lost", **told), old("Dee", status="lost", team=cast.nordics)
        old("Ana")
        migrate(commit=True)
        return shown, hidden

    def test_are_listed_found_and_shown_to_those_who_could_see_them(self, stayed, sign_in):
        shown, hidden = stayed
        page = sign_in("rep").get("/lead/archive").text
        assert "Cy Löw" in page and "Dee" not in page and "Ana" not in page
        for query in ("low", "CY@X", "fleetly"):
            assert "Cy Löw" in sign_in("rep").get("/lead/archive", {"q": query}).text
        assert "No legacy leads match" in sign_in("rep").get("/lead/archive?q=dee").text
        page = sign_in("rep").get(f"/lead/{shown.public_id}").text
        assert "Wants 5 vans" in page and "cy@x.example" in page
        assert sign_in("rep").get(f"/lead/{hidden.public_id}").status_code == 302
        assert "Dee" in sign_in("manager").get(f"/lead/{hidden.public_id}").text

    def test_are_in_the_sidebar(self, stayed, sign_in):
        assert 'href="/lead/archive"' in sign_in("rep").get("/contact").text

    def test_stay_when_the_table_is_dropped(self, stayed, sign_in):
        LegacyLead.objects.all().delete()
        assert "Cy Löw" in sign_in("rep").get("/lead/archive").text

    def test_are_gone_from_there_once_a_second_run_moves_them(self, stayed, migrate, sign_in):
        migrate(commit=True, include_lost=True)
        assert "Cy Löw" not in sign_in("rep").get("/lead/archive").text
        assert sign_in("rep").get(f"/lead/{stayed[0].public_id}").url.startswith("/contact/")

    def test_a_page_at_a_time(self, old, migrate, sign_in, monkeypatch):
        monkeypatch.setattr("crm.legacy_leads.views.PAGE", 2)
        for name in ("Row one", "Row two", "Row three"):
            old(name, status="lost")
        migrate(commit=True)
        first = sign_in("rep").get("/lead/archive").text
        assert "Row three" in first and "Row two" in first and "Row one" not in first
        after = first.split("after=")[1].split('"')[0]
        assert "Row one" in sign_in("rep").get(f"/lead/archive?after={after}").text
        assert sign_in("rep").get("/lead/archive?after=9999999999999999999999").status_code == 200
