"""The settings pages, as plain forms."""

import pytest

from crm.kit.scope import in_workspace
from crm.users.models import Membership, Team, User, Workspace

pytestmark = pytest.mark.once


def test_a_person_saves_name_colours_and_time_zone(sign_in, cast):
    client = sign_in("viewer")
    data = {"name": "Vera Voss", "theme": "dark", "timezone": "Europe/Madrid"}
    assert client.post("/settings/profile/", data).status_code == 302
    page = client.get("/settings/profile/").content.decode()
    assert 'data-theme="dark"' in page
    assert "Vera Voss" in page
    assert "Profile saved." in page


def test_single_keys_are_switched_off_for_the_account(sign_in, cast):
    client, data = sign_in("rep"), {"name": "Rep", "theme": "auto", "timezone": ""}
    assert 'data-keys="off"' not in client.get("/").content.decode()
    assert client.post("/settings/profile/", data).status_code == 302
    assert 'data-keys="off"' in client.get("/").content.decode()
    assert client.post("/settings/profile/", data | {"shortcuts": "on"}).status_code == 302
    assert 'data-keys="off"' not in client.get("/").content.decode()


def test_the_theme_buttons_work_with_and_without_htmx(sign_in, cast):
    client = sign_in("rep")
    assert client.post("/settings/theme/", {"theme": "light"}).status_code == 302
    assert client.post("/settings/theme/", {"theme": "dark"}, headers={"HX-Request": "true"}).status_code == 204
    assert User.objects.get(pk=cast.rep.user_id).theme == "dark"
    assert client.post("/settings/theme/", {"theme": "pink"}).status_code == 422


def test_an_admin_changes_role_and_team(sign_in, cast):
    client = sign_in("admin")
    data = {"role": "manager", "team": cast.nordics.pk}
    assert client.post(f"/settings/people/{cast.rep.pk}/", data).status_code == 302
    with in_workspace(cast.acme):
        member = Membership.objects.get(pk=cast.rep.pk)
    assert (member.role, member.team_id) == ("manager", cast.nordics.pk)


def test_a_team_of_another_workspace_is_no_choice(sign_in, cast):
    with in_workspace(cast.globex):
        theirs = Team.objects.create(name="Theirs")
    response = sign_in("admin").post(f"/settings/people/{cast.rep.pk}/", {"role": "rep", "team": theirs.pk})
    assert response.status_code == 422


def test_teams_are_made_and_renamed_and_never_doubled(sign_in, cast):
    client = sign_in("admin")
    assert client.post("/settings/teams/", {"name": "South"}).status_code == 302
    double = client.post("/settings/teams/", {"name": "IBERIA"})
    assert double.status_code == 422
    assert "A team named “IBERIA” already exists." in double.content.decode()
    assert client.post(f"/settings/teams/{cast.iberia.pk}/", {"name": "Spain"}).status_code == 302
    with in_workspace(cast.acme):
        assert set(Team.objects.values_list("name", flat=True)) == {"Spain", "Nordics", "South"}


def test_the_workspace_is_changed_and_nonsense_is_named(sign_in, cast):
    client = sign_in("admin")
    data = {"name": "Acme", "timezone": "Europe/Madrid", "language": "en", "currency": "usd"}
    assert client.post("/settings/workspace/", data).status_code == 302
    workspace = Workspace.objects.get(pk=cast.acme.pk)
    assert (workspace.name, workspace.timezone, workspace.currency) == ("Acme", "Europe/Madrid", "USD")
    bad = client.post("/settings/workspace/", data | {"currency": "E1R"})
    assert bad.status_code == 422
    assert "isn’t a valid currency" in bad.content.decode()


@pytest.mark.parametrize("who", ["viewer", "rep", "manager"])
def test_who_is_no_admin_sees_profile_and_security_only(who, sign_in):
    page = sign_in(who).get("/settings/profile/").content.decode()
    assert 'href="/settings/security/"' in page
    assert 'href="/settings/workspace/"' not in page
    assert 'href="/admin/"' not in page
