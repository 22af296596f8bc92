"""The Django admin: admins see their workspace, superusers all; changes are verbs; nothing is deleted."""

import pytest
from django.contrib.admin.sites import site
from django.test import Client

from crm.kit.scope import in_workspace
from crm.users.models import Membership, Team, User

pytestmark = pytest.mark.once


@pytest.fixture
def operator(cast):
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "throughline-demo"))
    return client


LISTS = ["/admin/users/user/", "/admin/users/workspace/", "/admin/users/team/", "/admin/users/membership/"]


@pytest.mark.parametrize("url", [*LISTS, "/admin/users/invitation/"])
def test_an_admin_sees_their_workspace_and_a_superuser_all(url, sign_in, operator):
    mine, all_of_them = sign_in("globex_admin").get(url), operator.get(url)
    assert mine.status_code == all_of_them.status_code == 200
    rows = mine.content.decode().split('id="changelist"')[1]
    assert "acme" not in rows.lower()
    assert "Iberia" not in rows
    if "invitation" not in url:
        assert "acme" in all_of_them.content.decode().lower()


def test_records_of_other_workspaces_are_not_there(cast, sign_in):
    client = sign_in("globex_admin")
    for url in (
        f"membership/{cast.rep.pk}",
        f"team/{cast.iberia.pk}",
        f"workspace/{cast.acme.pk}",
        f"user/{cast.rep.user_id}",
    ):
        assert client.get(f"/admin/users/{url}/change/", follow=True).request["PATH_INFO"] == "/admin/"


@pytest.mark.parametrize("who", ["admin", "operator"])
def test_a_role_is_changed_through_the_verb(who, cast, sign_in, operator):
    client = operator if who == "operator" else sign_in("admin")
    url = f"/admin/users/membership/{cast.rep.pk}/change/"
    assert cast.nordics.name in client.get(url).content.decode()
    data = {"role": "manager", "team": cast.nordics.pk, "is_active": "on"}
    assert client.post(url, data).status_code == 302
    with in_workspace(cast.acme):
        assert Membership.objects.get(pk=cast.rep.pk, role="manager", team=cast.nordics)


def test_the_last_admin_stays_here_too(cast, sign_in):
    url = f"/admin/users/membership/{cast.admin.pk}/change/"
    page = sign_in("admin").post(url, {"role": "rep", "is_active": "on"}, follow=True)
    assert "is the only admin." in page.content.decode()
    with in_workspace(cast.acme):
        assert Membership.objects.admins().get() == cast.admin


def test_a_superuser_renames_a_team_of_any_workspace(cast, operator):
    operator.post(f"/admin/users/team/{cast.iberia.pk}/change/", {"name": "Spain"})
    with in_workspace(cast.acme):
        assert Team.objects.get(pk=cast.iberia.pk).name == "Spain"


def test_an_admin_does_not_change_accounts(cast, sign_in):
    url = f"/admin/users/user/{cast.rep.user_id}/change/"
    client = sign_in("admin")
    assert 'name="is_superuser"' not in client.get(url).content.decode()
    assert client.post(url, {"name": "X", "is_active": "on", "is_superuser": "on"}).status_code == 403


@pytest.mark.parametrize("model", [m for m in site._registry if m._meta.app_label == "users"])
def test_nothing_is_added_or_deleted(model, operator, cast):
    base = f"/admin/users/{model._meta.model_name}/"
    assert operator.get(f"{base}add/").status_code == 403
    assert operator.get(f"{base}{cast.acme.pk}/delete/", follow=True).status_code in (403, 200)
    assert "delete_selected" not in operator.get(base).content.decode()


def test_every_page_of_the_admin_is_served_under_the_strict_policy(operator):
    page = operator.get("/admin/users/user/")
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "<script>" not in page.content.decode()
    assert " style=" not in page.content.decode()
