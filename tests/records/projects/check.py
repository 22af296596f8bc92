"""A project supports every common record feature. Run with the settings beside this file."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from audit.models import Entry
from crm.kit.scope import in_workspace
from crm.lists.models import ImportRun
from tests.records.projects.models import Project


@pytest.fixture
def made(sign_in, cast):
    """Create a project as a rep, on its page."""
    answer = sign_in("rep").post("/project/new", {"name": "Depot North", "budget": "1200"})
    with in_workspace(cast.acme):
        project = Project.objects.get()
    assert answer["Location"] == project.get_absolute_url()
    return project


def test_it_is_in_the_sidebar_its_list_and_the_language_of_conditions(made, sign_in):
    client = sign_in("rep")
    assert "Depot North" in (page := client.get("/project").content.decode())
    assert f'href="{reverse("project_list")}"' in page
    assert "Depot North" in client.get("/project?where=budget+%3E+1000").content.decode()
    assert "Depot North" not in client.get("/project?where=budget+%3C+1000").content.decode()
    assert "Depot North" in client.get("/project/export?view=all").getvalue().decode()


def test_its_page_edits_and_moves_it_and_tells_that(made, sign_in, acme):
    client = sign_in("rep")
    client.post(f"{made.get_absolute_url()}/field/budget", {"budget": "1300", "base-budget": "1200"})
    page = client.get(made.get_absolute_url()).content.decode()
    assert f'href="{made.get_absolute_url()}/finish"' in page
    assert "Planned" in page
    assert "Finish" in client.get(f"{made.get_absolute_url()}/finish").content.decode()
    client.post(f"{made.get_absolute_url()}/finish", {"reason": "Handed over"})
    made.refresh_from_db()
    assert (made.budget, made.state) == (1300, "finished")
    page = client.get(made.get_absolute_url()).content.decode()
    assert "finished this project" in page
    assert "Handed over" in page
    change = Entry.objects.get(event="project.finished").change
    client.post(f"/undo/{change}")
    made.refresh_from_db()
    assert made.state == "planned"


def test_it_goes_to_the_trash_and_comes_back(made, sign_in, acme):
    client = sign_in("rep")
    client.post(f"{made.get_absolute_url()}/delete", {"reason": "Twice"})
    made.refresh_from_db()
    assert made.deleted_at
    client.post(f"{made.get_absolute_url()}/restore")
    made.refresh_from_db()
    assert made.deleted_at is None


def test_a_file_of_them_is_imported_again_and_again(sign_in, acme):
    client = sign_in("manager")
    for budget, counts in (("7", (2, 0)), ("8", (0, 2))):
        rows = f"Name,External ID,Budget\nEast,p-1,{budget}\nWest,p-2,{budget}\n,,5\n"
        file = SimpleUploadedFile("projects.csv", rows.encode())
        address = client.post("/project/import", {"file": file})["Location"]
        mapping = {"column_0": "name", "column_1": "external_id", "column_2": "budget", "on_match": "update"}
        client.post(address, mapping)
        client.post(address, mapping | {"do": "import"})
        run = ImportRun.objects.latest("pk")
        assert (run.created, run.updated, run.refused) == (*counts, 1)
    assert list(Project.objects.order_by("name").values_list("name", "budget")) == [("East", 8), ("West", 8)]


def test_another_workspace_does_not_see_it(made, sign_in):
    stranger = sign_in("globex_rep")
    for address in ("", "/edit", "/finish", "/timeline"):
        assert stranger.get(made.get_absolute_url() + address).status_code == 404
    assert "Depot North" not in stranger.get("/project").content.decode()
