from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from contacts.models import Contact
from crm.kit.scope import in_workspace
from crm.lists.imports.running import forget_abandoned
from crm.lists.models import SILENCE, ImportRun
from crm.records.views import importing
from tests.browser import inspect

PEOPLE = (
    "First Name,Last Name,E-mail Address,Organization,Lifecycle Stage,Shoe size\n"
    "Ana,Ruiz,ana@fleetly.example,Fleetly,Customer,38\nBo,Quist,bo@,Fleetly,Lead,44\n,,,Fleetly,,\n"
)


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def upload(client, text=PEOPLE, name="people.csv"):
    return client.post("/contact/import", {"file": SimpleUploadedFile(name, text.encode(), "text/csv")})


def chosen(run, **changes):
    """Return the mapping form's unchanged data."""
    return {f"column_{column}": path for column, path in run.mapping} | {"on_match": "update"} | changes


@pytest.fixture
def run(sign_in, acme):
    upload(sign_in("rep"))
    return ImportRun.objects.get()


def test_a_file_is_mapped_tried_imported_and_undone(sign_in, run, acme):
    rep, url = sign_in("rep"), f"/contact/import/{run.public_id}"
    page = rep.get(url).content.decode()
    assert "ana@fleetly.example" in page and '<option value="email" selected>' in page
    tried = rep.post(url, chosen(run, do="try"), follow=True).content.decode()
    assert "Preview ready" in tried and "“bo@” isn’t a valid email address." in tried
    assert not Contact.objects.exists()
    report = rep.post(url, chosen(run, do="import"), follow=True).content.decode()
    assert "Import finished." in report and "Enter a name or an email." in report
    run.refresh_from_db()
    assert (run.created, run.refused, run.state, run.file.name) == (1, 2, "done", "")
    assert Contact.objects.get().company.name == "Fleetly"
    assert Contact.objects.get().owner == run.member
    assert "was undone" in rep.post(f"/undo/{run.change}", {"next": url}, follow=True).content.decode()
    assert not Contact.objects.exists()


def test_the_refused_rows_can_be_downloaded(sign_in, run):
    rep, url = sign_in("rep"), f"/contact/import/{run.public_id}"
    rep.post(url, chosen(run, do="import"))
    lines = b"".join(rep.get(f"{url}/refused").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "Line,Column,Reason,First Name,Last Name,E-mail Address,Organization,Lifecycle Stage,Shoe size"
    assert lines[1].startswith("3,E-mail Address,“bo@” isn’t a valid email address.,Bo,Quist,bo@,Fleetly")


def test_a_column_can_be_left_out(sign_in, run, acme):
    mapping = chosen(run, do="import", column_3="")
    sign_in("rep").post(f"/contact/import/{run.public_id}", mapping)
    assert Contact.objects.get().company is None


def test_two_columns_for_one_field_are_refused_with_a_sentence(sign_in, run):
    answer = sign_in("rep").post(f"/contact/import/{run.public_id}", chosen(run, column_1="first_name"))
    assert answer.status_code == 422
    assert "are both mapped to First name. Keep one." in answer.content.decode()


@pytest.mark.parametrize("text, why", [("", "empty"), ("\n", "The file is empty."), ("a,b\n" * 4, "more than 3 rows")])
def test_a_file_that_cannot_be_imported_is_refused_on_upload(sign_in, acme, monkeypatch, text, why):
    monkeypatch.setattr(importing, "MAX_ROWS", 2 if "more" not in why else 3)
    answer = upload(sign_in("rep"), text + ("1,2\n" if "more" in why else ""))
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not ImportRun.objects.exists()


def test_unknown_column_names_can_be_mapped_by_hand(sign_in, acme):
    rep = sign_in("rep")
    upload(rep, "x,y\nAna,1\n")
    run = ImportRun.objects.get()
    assert run.mapping == []
    mapping = {"column_0": "name", "column_1": "", "on_match": "fill", "do": "import"}
    rep.post(f"/contact/import/{run.public_id}", mapping)
    assert Contact.objects.get().name == "Ana"


def test_a_run_belongs_to_who_uploaded_it_and_to_managers(sign_in, run):
    url = f"/contact/import/{run.public_id}"
    answers = {who: sign_in(who).get(url).status_code for who in ("rep", "mate", "viewer", "manager", "globex_admin")}
    assert answers == {"rep": 200, "mate": 404, "viewer": 403, "manager": 200, "globex_admin": 404}


def test_only_managers_are_offered_to_override_stages(sign_in, run):
    url = f"/contact/import/{run.public_id}"
    assert b"override_reason" not in sign_in("rep").get(url).content
    assert b"override_reason" in sign_in("manager").get(url).content


def test_a_second_click_imports_nothing_twice(sign_in, run, acme):
    rep, url = sign_in("rep"), f"/contact/import/{run.public_id}"
    rep.post(url, chosen(run, do="import"))
    assert rep.post(url, chosen(run, do="import")).status_code == 200
    assert Contact.objects.count() == 1


def leave(run, state, silent=timedelta(0)):
    """Leave the run as if killed in that state, `silent` ago."""
    run.state, run.line, run.seen_at = state, 7, timezone.now() - silent
    run.save()


def test_an_import_that_was_killed_is_shown_as_stopped(sign_in, run, acme):
    rep, url = sign_in("rep"), f"/contact/import/{run.public_id}"
    leave(run, "running")
    assert "Import running – row 7" in rep.get(url).content.decode()
    assert "<td>Running</td>" in rep.get("/contact/import").content.decode()
    leave(run, "running", SILENCE * 2)
    assert "Import stopped after row 7." in rep.get(url).content.decode()
    assert "<td>Stopped</td>" in rep.get("/contact/import").content.decode()


def test_a_trial_that_was_killed_can_be_made_again(sign_in, run, acme):
    rep, url = sign_in("rep"), f"/contact/import/{run.public_id}"
    leave(run, "trying")
    rep.post(url, chosen(run, do="import"))
    assert "Preview running – row 7" in rep.get(url).content.decode()
    assert not Contact.objects.exists()
    leave(run, "trying", SILENCE * 2)
    rep.post(url, chosen(run, do="import"))
    assert Contact.objects.count() == 1


def test_a_trial_of_the_command_is_no_page(sign_in, run, acme):
    run.file.delete()
    for state in ("ready", "trying", "previewed"):
        leave(run, state)
        assert sign_in("manager").get(f"/contact/import/{run.public_id}").status_code == 404
    assert run.file_name not in sign_in("manager").get("/contact/import").content.decode()


@pytest.mark.parametrize("state, kept", [("ready", 0), ("trying", 0), ("running", 1), ("stopped", 1)])
def test_an_upload_is_deleted_after_a_week_whatever_became_of_it(run, acme, state, kept):
    leave(run, state, timedelta(days=8))
    ImportRun.objects.update(created_at=timezone.now() - timedelta(days=8))
    forget_abandoned()
    assert not run.file.storage.exists(run.file.name)
    assert ImportRun.objects.filter(pk=run.pk, file="").count() == kept


def test_a_list_is_exported_as_it_is_seen(sign_in, run, acme):
    rep = sign_in("rep")
    rep.post(f"/contact/import/{run.public_id}", chosen(run, do="import"))
    Contact.objects.update(name="=HYPERLINK(1)")
    answer = rep.get("/contact/export?view=all&columns=name,email,lifecycle_stage,company")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(answer.streaming_content).decode("utf-8-sig").splitlines() == [
        "Name,Email,Lifecycle Stage,Company",
        "'=HYPERLINK(1),ana@fleetly.example,Customer,Fleetly",
    ]
    assert len(b"".join(rep.get("/contact/export?where=stage+%3D+Lost").streaming_content).splitlines()) == 1
    assert rep.get("/contact/export?where=stge+%3D+Lost").status_code == 422


@pytest.mark.browser
def test_the_pages_in_a_browser(visit, sign_in, cast):
    manager = sign_in("manager")
    page = visit("/contact/import", client=manager, expected="422")
    inspect(page, "import")
    page.set_input_files("input[type=file]", {"name": "people.csv", "mimeType": "text/csv", "buffer": PEOPLE.encode()})
    page.click("text=Upload")
    page.wait_for_url("**/import_*")
    inspect(page, "import-map")
    page.click("text=Preview import")
    page.wait_for_selector("text=Preview again")
    inspect(page, "import-tried")
    page.click("button[value=import]")
    page.wait_for_selector("text=Undo import")
    inspect(page, "import-report")
    with in_workspace(cast.acme):
        assert Contact.objects.get().lifecycle_stage == "customer"
    page.click("text=Undo import")
    page.wait_for_selector("text=was undone")
    with in_workspace(cast.acme):
        assert not Contact.objects.exists()
