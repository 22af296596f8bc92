"""drop_legacy_leads: unmet conditions one by one, and the product without the table."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.merge import merge
from crm.kit import clock, formats
from crm.kit.errors import NotAllowed, Refused
from crm.kit.scope import in_workspace
from crm.legacy_leads.dropping import export as exporting
from crm.legacy_leads.models import DropConfirmation, LegacyLead, LegacyVisit, OldLeads
from crm.legacy_leads.verbs.confirm_drop import confirm_drop
from crm.legacy_leads.verbs.create_legacy_leads import create_legacy_leads
from crm.users.models import Membership
from tests.factories import make_contact, manager, rows

pytestmark = pytest.mark.usefixtures("nobody_reads")
TODAY = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
COMMITTED = TODAY - timedelta(days=100)


def run(command, *arguments, **options):
    """Return (exit status, report of --json or message)."""
    out, status = io.StringIO(), 0
    try:
        call_command(command, *arguments, workspace="acme", json=True, stdout=out, stderr=io.StringIO(), **options)
    except SystemExit as end:
        status = end.code
    except CommandError as error:
        return error.returncode, str(error)
    return status, json.loads(out.getvalue().splitlines()[-1])


def missing():
    status, report = run("drop_legacy_leads")
    assert (status, report["rows"]) == (1, 0)
    return report["missing"]


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "old-leads.jsonl")


@pytest.fixture
def moved(old, migrate):
    """Create three legacy leads, two migrated a hundred days ago."""
    with clock.at(COMMITTED):
        leads = [old("Ana Ruiz", contact=make_contact("Ana"), estimated_value="5.50", description="Vans\n“new”")]
        leads += [old("Bo", email="bo@x.example"), old("Cy", status="lost")]
        migrate(commit=True)
    return leads


@pytest.fixture
def ready(moved, file, actor):
    run("export_legacy_leads", file)
    run("export_legacy_leads", file, rehearse=True)
    confirm_drop(by=actor("admin"))
    return moved


def test_when_nothing_is_missing_the_rows_go_and_that_is_recorded(ready, cast):
    assert run("drop_legacy_leads") == (0, {"rows": 3, "missing": {}})
    assert not LegacyLead.objects.exists()
    assert OldLeads.objects.get().dropped_at
    assert Entry.objects.filter(event="old_leads.dropped").count() == 1
    assert run("drop_legacy_leads") == (0, {"rows": 0, "missing": {}})


def test_everything_that_is_missing_is_said_at_once(moved):
    assert missing() == {
        "acme": [
            "Admin confirmations: 0 of 1. Confirm under Settings → Lead migration.",
            "There is no export. Run manage.py export_legacy_leads FILE.",
        ]
    }
    assert LegacyLead.objects.count() == 3


def test_without_a_migration(old):
    old("Ana")
    assert missing() == {"acme": ["The legacy leads have not been migrated. Run manage.py migrate_leads --commit."]}


def test_a_read_starts_the_clock_again(ready, cast):
    place = {"member": cast.rep, "place": "admin /admin/legacy_leads/legacylead/", "day": TODAY}
    LegacyVisit.objects.create(**place, last_at=TODAY - timedelta(days=89))
    [sentence] = missing()["acme"]
    read = formats.moment(TODAY - timedelta(days=89))
    assert f"Last read: {read} by Rep (admin /admin/legacy_leads" in sentence
    assert f"It can be dropped from {formats.day(TODAY + timedelta(days=1))}" in sentence
    with clock.at(TODAY + timedelta(days=1, minutes=1)):
        assert run("drop_legacy_leads")[0] == 0


def test_ninety_days_since_the_commit_are_not_enough_by_a_minute(ready):
    with clock.at(COMMITTED + timedelta(days=90) - timedelta(minutes=1)):
        assert "must not be read for 90 days" in missing()["acme"][0]


def test_of_several_admins_two_have_to_confirm(ready, cast, actor):
    Membership.objects.filter(pk__in=[cast.manager.pk, cast.mate.pk]).update(role="admin")
    assert missing() == {"acme": ["Admin confirmations: 1 of 2 (Admin). Confirm under Settings → Lead migration."]}
    confirm_drop(by=Membership.objects.get(pk=cast.manager.pk).actor("web"))
    Membership.objects.filter(pk=cast.manager.pk).update(role="manager")  # former admins do not count
    assert "1 of 2" in missing()["acme"][0]
    assert run("drop_legacy_leads", confirm=True, user="mate@acme.example") == (0, {"confirmed": True})
    assert run("drop_legacy_leads")[0] == 0


def test_who_confirmed_before_the_commit_confirms_anew(ready, cast):
    DropConfirmation.objects.update(at=COMMITTED - timedelta(days=1))
    assert "0 of 1" in missing()["acme"][0]


def test_an_export_that_was_not_rehearsed(ready, file):
    run("export_legacy_leads", file)
    assert missing() == {"acme": [exporting_sentence()]}


def exporting_sentence():
    return "The export has not been verified. Run manage.py export_legacy_leads FILE --rehearse."


def test_a_table_that_changed_since_the_export(ready):
    LegacyLead.objects.filter(name="Cy").update(phone="1")
    sentence = "The table has changed since the export. Export it again and verify that file with --rehearse."
    assert missing() == {"acme": [sentence]}


def test_another_workspace_has_its_own_conditions(ready, cast):
    with in_workspace(cast.globex):
        create_legacy_leads([{"name": "Theirs"}], by=cast.globex_rep.actor("web"))
    assert missing() == {"globex": ["The legacy leads have not been migrated. Run manage.py migrate_leads --commit."]}
    assert LegacyLead.objects.count() == 3


class TestExport:
    def test_a_file_restores_to_what_was_exported(self, moved, file, tmp_path):
        before = list(LegacyLead.objects.order_by("pk").values())
        assert run("export_legacy_leads", file) == (0, {"rows": 3})
        head, *lines, foot = map(json.loads, (tmp_path / "old-leads.jsonl").read_text().splitlines())
        assert (head["workspace"], len(lines), foot["rows"]) == ("acme", 3, 3)
        assert dict(zip(head["columns"], lines[0], strict=True))["description"] == "Vans\n“new”"
        assert run("export_legacy_leads", file, rehearse=True) == (0, {"rows": 3})
        assert list(LegacyLead.objects.order_by("pk").values()) == before
        assert OldLeads.objects.get().rehearsed_at

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text.replace("Bo", "Bu"),
            lambda text: "".join(text.splitlines(keepends=True)[:-1]),
            lambda text: "".join(text.splitlines(keepends=True)[:2]),
            lambda text: "",
            lambda text: "no JSON\n" + text,
        ],
        ids=["altered", "without its foot", "cut off", "empty", "of something else"],
    )
    def test_a_damaged_file_is_not_rehearsed(self, damage, moved, file, tmp_path):
        run("export_legacy_leads", file)
        text = (tmp_path / "old-leads.jsonl").read_text()
        (tmp_path / "old-leads.jsonl").write_text(damage(text))
        status, sentence = run("export_legacy_leads", file, rehearse=True)
        assert (status, "cut off or altered" in sentence) == (1, True)
        assert OldLeads.objects.get().rehearsed_at is None

    def test_a_whole_file_of_an_earlier_export_is_not_this_one(self, moved, file, tmp_path):
        run("export_legacy_leads", file)
        LegacyLead.objects.filter(name="Cy").update(phone="1")
        run("export_legacy_leads", str(tmp_path / "other.jsonl"))
        status, sentence = run("export_legacy_leads", file, rehearse=True)
        assert (status, "does not match the last export" in sentence) == (1, True)

    def test_without_room_there_is_no_file_and_the_one_before_stays(self, moved, file, tmp_path, monkeypatch):
        run("export_legacy_leads", file)
        before, last = OldLeads.objects.values().get(), Entry.objects.latest("id").pk

        def full(number):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(exporting.os, "fsync", full)
        sentence = f"{file}: No space left on device. Nothing was exported."
        assert run("export_legacy_leads", file) == (1, sentence)
        assert [path.name for path in tmp_path.iterdir()] == ["old-leads.jsonl"]
        assert (OldLeads.objects.values().get(), Entry.objects.latest("id").pk) == (before, last)

    def test_a_directory_that_is_not_there(self, moved):
        status, sentence = run("export_legacy_leads", "/no/such/place/file")
        assert (status, "No such file or directory" in sentence) == (1, True)

    def test_without_old_leads(self, acme, file):
        assert run("export_legacy_leads", file) == (1, "There are no legacy leads in this workspace.")
        assert run("export_legacy_leads", file, rehearse=True) == (1, "There are no legacy leads in this workspace.")


class TestWhoMay:
    @pytest.mark.parametrize("who", ["rep", "manager"])
    def test_only_an_admin(self, who, ready, actor, file):
        user = f"{who}@acme.example"
        for command, arguments in (("drop_legacy_leads", []), ("export_legacy_leads", [file])):
            status, sentence = run(command, *arguments, user=user)
            assert (status, sentence) == (1, "Only admins can migrate legacy leads.")
        with pytest.raises(NotAllowed):
            confirm_drop(by=actor(who))
        assert LegacyLead.objects.count() == 3

    def test_the_system_confirms_nothing(self, moved):
        status, sentence = run("drop_legacy_leads", confirm=True)
        assert (status, "--user EMAIL" in sentence) == (1, True)

    def test_nobody_confirms_before_the_migration(self, old, actor):
        old("Ana")
        with pytest.raises(Refused, match="have not been migrated"):
            confirm_drop(by=actor("admin"))


class TestAfterwards:
    @pytest.fixture
    def gone(self, ready):
        """Drop the table, so that any access fails."""
        run("drop_legacy_leads")

        def refuse(execute, sql, params, many, context):
            assert "leads_legacylead" not in str(sql).lower(), sql
            return execute(sql, params, many, context)

        with connection.execute_wrapper(refuse):
            yield ready

    def test_the_pages_and_redirects_work_on(self, gone, sign_in, actor):
        ana, client = Contact.objects.get(name="Ana"), sign_in("admin")
        assert client.get(f"/lead/{gone[0].public_id}").url == ana.get_absolute_url()
        assert client.get("/lead").url == "/contact?view=contacts_leads"
        page = client.get(ana.get_absolute_url()).text
        assert "Created from legacy leads" in page and "Ana Ruiz" in page
        for url in ("/contact", "/contact?q=ana", "/opportunity", "/qualification", "/exceptions", "/admin/"):
            assert client.get(url, follow=True).status_code == 200, url
        retired = client.get(f"/admin/legacy_leads/oldleads/{OldLeads.objects.get().pk}/change/").text
        assert "None. The table was dropped." in retired
        merge(ana, rows(make_contact("Twin")), by=actor("manager"))

    def test_nothing_is_added_or_undone_any_more(self, gone, migrate):
        with pytest.raises(Refused, match="were dropped"):
            create_legacy_leads([{"name": "Late"}], by=manager())
        assert migrate(undo=True) == (1, "The legacy leads were dropped. The migration can no longer be undone.")
        assert migrate(status=True)[0] == 0

    def test_what_was_made_by_hand_can_still_be_undone(self, ready, actor):
        run("drop_legacy_leads")
        by = actor("manager")
        make_contact("Twin", by=by)
        undo(by.change, by=actor("manager"))
        assert not Contact.objects.filter(name="Twin").exists()


class TestInTheAdmin:
    def test_an_admin_sees_the_clock_and_what_is_missing_and_confirms(self, moved, sign_in, cast):
        retired, client = OldLeads.objects.get(), sign_in("admin")
        url = f"/admin/legacy_leads/oldleads/{retired.pk}/"
        page = client.get(f"{url}change/").text
        assert "Admin confirmations: 0 of 1" in page and formats.day(COMMITTED + timedelta(days=90)) in page
        settings = "/settings/lead-migration/"
        assert "Admin confirmations: 0 of 1" in client.get(settings).text
        assert client.post(f"{settings}confirm-drop/", {"workspace": "acme"}).status_code == 302
        assert DropConfirmation.objects.get().member == cast.admin
        assert "Admin confirmations" not in client.get(f"{url}change/").text + client.get(settings).text
        assert client.get(f"{settings}confirm-drop/").status_code == 405

    def test_the_reads_are_listed(self, moved, sign_in, cast):
        LegacyVisit.objects.create(member=cast.rep, place="web /lead", day=TODAY, reads=3, last_at=TODAY)
        page = sign_in("admin").get("/admin/legacy_leads/legacyvisit/").text
        assert "Rep" in page and "web /lead" in page
