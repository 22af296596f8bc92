"""The role table, cell by cell: every right for every role, through its verbs and its pages."""

import pytest

from crm.kit.actor import RANK, Role
from crm.kit.errors import NotAllowed
from crm.users.models import Membership
from crm.users.roles import LOWEST_ROLE, REFUSALS, Right, may
from crm.users.verbs.add_member import add_member
from crm.users.verbs.change_role import change_role
from crm.users.verbs.change_team import change_team
from crm.users.verbs.create_team import create_team
from crm.users.verbs.deactivate_member import deactivate_member
from crm.users.verbs.edit_workspace import edit_workspace
from crm.users.verbs.invite import invite
from crm.users.verbs.reactivate_member import reactivate_member
from crm.users.verbs.rename_team import rename_team

pytestmark = pytest.mark.once

WHO = {Role.VIEWER: "viewer", Role.REP: "rep", Role.MANAGER: "manager", Role.ADMIN: "admin"}
WORKSPACE = {"name": "Acme", "timezone": "UTC", "currency": "EUR", "require_mfa": False}

VERBS = {
    "invite": (Right.PEOPLE, lambda c, by: invite("new@x.example", role=Role.REP, site="http://x", by=by)),
    "add_member": (Right.PEOPLE, lambda c, by: add_member(c.globex_rep.user, role=Role.REP, by=by)),
    "change_role": (Right.PEOPLE, lambda c, by: change_role(c.mate, Role.MANAGER, by=by)),
    "change_team": (Right.PEOPLE, lambda c, by: change_team(c.mate, c.nordics, by=by)),
    "deactivate_member": (Right.PEOPLE, lambda c, by: deactivate_member(c.mate, by=by)),
    "reactivate_member": (Right.PEOPLE, lambda c, by: reactivate_member(c.mate, by=by)),
    "create_team": (Right.TEAMS, lambda c, by: create_team("South", by=by)),
    "rename_team": (Right.TEAMS, lambda c, by: rename_team(c.iberia, "Iberia and Italy", by=by)),
    "edit_workspace": (Right.WORKSPACE, lambda c, by: edit_workspace(**WORKSPACE, by=by)),
}
PAGES = {
    "/settings/profile/": None,
    "/settings/security/": None,
    "/workspaces/": None,
    "/settings/people/": Right.PEOPLE,
    "/settings/people/{mate}/": Right.PEOPLE,
    "/settings/teams/": Right.TEAMS,
    "/settings/teams/{iberia}/": Right.TEAMS,
    "/settings/workspace/": Right.WORKSPACE,
    "/admin/": Right.ADMIN_SITE,
    "/admin/users/membership/": Right.ADMIN_SITE,
    "/admin/users/membership/{mate}/change/": Right.ADMIN_SITE,
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_for_each_role(verb, role, cast, acme, actor):
    right, run = VERBS[verb]
    if RANK[role] >= RANK[LOWEST_ROLE[right]]:
        assert run(cast, actor(WHO[role]))
    else:
        with pytest.raises(NotAllowed, match=str(REFUSALS[right])):
            run(cast, actor(WHO[role]))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("page", PAGES)
def test_each_page_for_each_role(page, role, cast, sign_in, actor):
    right = PAGES[page]
    url = page.format(mate=cast.mate.pk, iberia=cast.iberia.pk)
    allowed = right is None or may(actor(WHO[role]), right)
    assert sign_in(WHO[role]).get(url, follow=True).status_code == (200 if allowed else 403)


def test_every_right_has_a_role():
    assert set(LOWEST_ROLE) == set(Right)


def test_the_sidebar_shows_what_the_role_may_open(sign_in):
    assert 'href="/settings/people/"' not in sign_in("manager").get("/settings/profile/").content.decode()
    assert 'href="/settings/people/"' in sign_in("admin").get("/settings/profile/").content.decode()


@pytest.mark.parametrize("url", ["/settings/people/{rep}/", "/settings/teams/{team}/"])
def test_another_workspaces_people_and_teams_are_not_there(url, cast, sign_in):
    response = sign_in("globex_admin").get(url.format(rep=cast.rep.pk, team=cast.iberia.pk))
    assert response.status_code == 404
    assert "Iberia" not in response.content.decode()


def test_the_last_admin_stays(cast, acme, actor, sign_in):
    client = sign_in("admin")
    page = client.post(f"/settings/people/{cast.admin.pk}/", {"role": "rep"})
    assert page.status_code == 422
    assert "is the only admin." in page.content.decode()
    refused = client.post(f"/settings/people/{cast.admin.pk}/deactivate/")
    assert refused.status_code == 409
    assert Membership.objects.admins().get() == cast.admin
    change_role(cast.manager, Role.ADMIN, by=actor("admin"))
    change_role(cast.admin, Role.REP, by=actor("admin"))
    assert Membership.objects.admins().get() == cast.manager
