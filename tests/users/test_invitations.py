"""The life of an invitation."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.kit.actor import Role
from crm.kit.errors import Invalid, NotAllowed, Refused
from crm.kit.scope import in_workspace
from crm.users.models import Invitation, Membership, User
from crm.users.verbs.invite import invite
from crm.users.verbs.withdraw_invitation import withdraw_invitation

pytestmark = pytest.mark.once

SITE = "https://crm.example/"


@pytest.fixture
def invited(cast, actor, django_capture_on_commit_callbacks):
    with in_workspace(cast.acme), django_capture_on_commit_callbacks(execute=True):
        return invite("New@Acme.example ", role=Role.REP, team=cast.iberia, site=SITE, by=actor("admin"))


def path_of(invited) -> str:
    return invited.link.removeprefix(SITE.rstrip("/"))


def test_the_link_is_mailed_and_only_its_hash_is_kept(invited):
    (message,) = mail.outbox
    assert message.to == ["new@acme.example"]
    assert invited.link in message.body
    assert "Admin invited you" in message.subject
    token = path_of(invited).split("/")[2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM users_invitation")
        assert token not in str(cursor.fetchall())
    assert len(token) >= 43  # 256 bits


def test_a_new_person_joins_with_name_and_password(invited, cast):
    client = Client()
    assert "new@acme.example" in client.get(path_of(invited)).content.decode()
    weak = client.post(path_of(invited), {"name": "Nora Ruiz", "password": "short"})
    assert weak.status_code == 422
    assert "at least 12 characters" in weak.content.decode()
    assert not User.objects.filter(email="new@acme.example").exists()
    response = client.post(path_of(invited), {"name": "Nora Ruiz", "password": "a-good-passphrase"})
    assert response.status_code == 302
    with in_workspace(cast.acme):
        member = Membership.objects.get(user__email="new@acme.example")
        assert (member.role, member.team, str(member.user)) == (Role.REP, cast.iberia, "Nora Ruiz")
    assert client.get("/settings/profile/").status_code == 200


def test_the_link_works_once(invited):
    Client().post(path_of(invited), {"name": "Nora Ruiz", "password": "a-good-passphrase"})
    again = Client().get(path_of(invited))
    assert again.status_code == 404
    assert "Invitation expired" in again.content.decode()


def test_the_link_ends_after_a_week(invited):
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert Client().get(path_of(invited)).status_code == 404


def test_inviting_again_ends_the_old_link(invited, cast, actor):
    with in_workspace(cast.acme):
        second = invite("new@acme.example", role=Role.VIEWER, site=SITE, by=actor("admin"))
        assert Invitation.objects.count() == 1
    assert Client().get(path_of(invited)).status_code == 404
    assert Client().get(path_of(second)).status_code == 200


def test_a_withdrawn_link_does_not_work(invited, cast, actor):
    with in_workspace(cast.acme):
        withdraw_invitation(invited.invitation, by=actor("admin"))
    assert Client().get(path_of(invited)).status_code == 404


def test_who_has_an_account_signs_in_and_joins_with_it(cast, actor):
    with in_workspace(cast.acme):
        invited = invite("rep@globex.example", role=Role.VIEWER, site=SITE, by=actor("admin"))
    stranger = Client().get(path_of(invited))
    assert stranger.url == f"/accounts/login/?next={path_of(invited)}"
    client = Client()
    client.force_login(cast.globex_rep.user)
    assert client.post(path_of(invited)).status_code == 302
    assert client.get("/settings/profile/").wsgi_request.member.workspace == cast.acme


def test_a_link_for_somebody_else_is_refused(invited, cast, sign_in):
    client = sign_in("globex_rep")
    page = client.post(path_of(invited))
    assert "is for new@acme.example" in page.content.decode()
    with in_workspace(cast.acme):
        assert not Membership.objects.filter(user=cast.globex_rep.user).exists()


def test_an_account_cannot_be_taken_over_by_its_invitation(cast, actor):
    with in_workspace(cast.acme):
        invited = invite("rep@globex.example", role=Role.VIEWER, site=SITE, by=actor("admin"))
    Client().post(path_of(invited), {"name": "Mallory", "password": "a-good-passphrase"})
    assert not User.objects.get(email="rep@globex.example").check_password("a-good-passphrase")


@pytest.mark.parametrize("who", ["viewer", "rep", "manager"])
def test_only_admins_invite(who, cast, actor):
    with in_workspace(cast.acme), pytest.raises(NotAllowed, match="Only admins can manage members"):
        invite("new@acme.example", role=Role.REP, site=SITE, by=actor(who))


def test_members_and_nonsense_are_not_invited(cast, actor):
    with in_workspace(cast.acme):
        with pytest.raises(Refused, match="is already a member of Acme Mobility"):
            invite("REP@acme.example", role=Role.REP, site=SITE, by=actor("admin"))
        with pytest.raises(Invalid, match="isn’t a valid email address"):
            invite("nobody", role=Role.REP, site=SITE, by=actor("admin"))


def test_the_page_shows_the_link_once(sign_in):
    client = sign_in("admin")
    page = client.post("/settings/people/invite/", {"email": "new@acme.example", "role": "rep"}).content.decode()
    assert re.search(r"http://testserver/invitation/[\w-]{43}/", page)
    assert "/invitation/" not in client.get("/settings/people/").content.decode().replace("/settings/invitations/", "")


def test_a_mail_server_that_is_down_does_not_lose_the_invitation(
    cast, actor, settings, django_capture_on_commit_callbacks
):
    settings.EMAIL_BACKEND = "nowhere.Backend"
    with in_workspace(cast.acme), django_capture_on_commit_callbacks(execute=True):
        invited = invite("new@acme.example", role=Role.REP, site=SITE, by=actor("admin"))
    assert Client().get(path_of(invited)).status_code == 200
