"""Revocations take effect with the next request (S5), and a form belongs to its workspace."""

import pytest

from crm.kit.actor import Role
from crm.kit.scope import in_workspace
from crm.users.models import Membership, Team, User
from crm.users.verbs.add_member import add_member
from crm.users.verbs.change_role import change_role
from crm.users.verbs.deactivate_member import deactivate_member
from crm.users.workspaces import switch_workspace

pytestmark = pytest.mark.once

PROFILE = "/settings/profile/"


def test_a_deactivated_member_is_out_on_the_next_request(cast, acme, actor, sign_in):
    client = sign_in("rep")
    assert client.get(PROFILE).status_code == 200
    deactivate_member(cast.rep, by=actor("admin"))
    for headers in ({}, {"HX-Request": "true"}):
        response = client.get(PROFILE, headers=headers)
        assert response.status_code == 403
        assert "No workspace access" in response.content.decode()


def test_they_keep_their_own_account_and_can_sign_out(cast, acme, actor, sign_in):
    client = sign_in("rep")
    deactivate_member(cast.rep, by=actor("admin"))
    assert client.get("/accounts/password/change/").status_code == 200
    assert client.post("/accounts/logout/").status_code == 302


def test_access_comes_back_from_the_toast(cast, sign_in):
    admin = sign_in("admin")
    page = admin.post(f"/settings/people/{cast.rep.pk}/deactivate/", follow=True).content.decode()
    undo = f"/settings/people/{cast.rep.pk}/reactivate/"
    assert f'action="{undo}"' in page
    assert sign_in("rep").get(PROFILE).status_code == 403
    admin.post(undo)
    assert sign_in("rep").get(PROFILE).status_code == 200


def test_a_lost_role_is_lost_on_the_next_request(cast, acme, actor, sign_in):
    change_role(cast.manager, Role.ADMIN, by=actor("admin"))
    client = sign_in("manager")
    assert client.get("/settings/people/").status_code == 200
    change_role(cast.manager, Role.REP, by=actor("admin"))
    assert client.get("/settings/people/").status_code == 403


def test_a_disabled_account_is_signed_out(cast, sign_in):
    client = sign_in("rep")
    User.objects.filter(pk=cast.rep.user_id).update(is_active=False)
    assert client.get(PROFILE).url.startswith("/accounts/login/")


@pytest.fixture
def both(cast, acme, actor):
    """Let the rep of acme also work in globex."""
    with in_workspace(cast.globex):
        add_member(cast.rep.user, role=Role.VIEWER, by=cast.globex_admin.actor("web"))
    return cast.rep.user


def test_losing_one_workspace_opens_the_other(both, cast, actor, sign_in):
    client = sign_in("rep")
    deactivate_member(cast.rep, by=actor("admin"))
    assert client.get(PROFILE).wsgi_request.member.workspace == cast.globex


def test_the_switcher_opens_the_other_workspace_in_every_browser(both, cast, sign_in):
    here, there = sign_in("rep"), sign_in("rep")
    listed = here.get("/workspaces/", headers={"HX-Request": "true"}).content.decode()
    assert "Globex" in listed
    assert "<html" not in listed
    assert here.post("/workspaces/globex/open/").status_code == 302
    assert there.get(PROFILE).wsgi_request.member.workspace == cast.globex
    assert there.get(PROFILE).wsgi_request.actor.role == Role.VIEWER


def test_nobody_opens_a_workspace_they_are_not_in(cast, sign_in):
    client = sign_in("rep")
    assert client.post("/workspaces/globex/open/").status_code == 409
    assert client.get(PROFILE).wsgi_request.member.workspace == cast.acme


def test_a_form_made_in_another_workspace_is_refused_and_says_so(cast, sign_in):
    client = sign_in("admin")
    response = client.post("/settings/teams/", {"name": "South", "workspace": "globex"})
    assert response.status_code == 409
    assert "belongs to another workspace" in response.content.decode()
    assert "No changes were saved" in response.content.decode()
    with in_workspace(cast.acme):
        assert not Team.objects.filter(name="South").exists()
    assert client.post("/settings/teams/", {"name": "South", "workspace": "acme"}).status_code == 302


def test_an_htmx_request_of_another_workspaces_page_is_refused_as_a_toast(both, cast, sign_in):
    switch_workspace(both, "globex")
    response = sign_in("rep").post(
        "/settings/theme/", {"theme": "dark"}, headers={"HX-Request": "true", "X-Workspace": "acme"}
    )
    assert response.status_code == 409
    assert "belongs to another workspace" in response["HX-Trigger"]
    assert Membership.objects.unscoped().filter(user__theme="dark").count() == 0


def test_every_form_of_the_settings_carries_its_workspace(sign_in, cast):
    client = sign_in("admin")
    for url in (PROFILE, "/settings/people/", "/settings/teams/", "/settings/workspace/"):
        page = client.get(url).content.decode()
        content = page[page.index('id="content"') :]
        assert content.count('name="workspace" value="acme"') == content.count('<form class="form'), url
