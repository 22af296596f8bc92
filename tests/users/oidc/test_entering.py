"""Who enters through an issuer: the linked, those it may speak for, the invited, and those of an admitted domain."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.db import connection
from django.test import Client

from audit.models import Entry
from crm.kit.actor import Role
from crm.kit.scope import in_workspace
from crm.users.models import Invitation, Membership, User
from crm.users.verbs.deactivate_member import deactivate_member
from crm.users.verbs.invite import invite
from tests.conftest import PASSWORD, make_member
from tests.users.oidc.conftest import come_back, go_through, leave, link, set_provider
from tests.users.oidc.test_protocol import sentence

pytestmark = pytest.mark.django_db


@pytest.fixture
def invited(cast, actor):
    """Invite Ann to acme as a manager of the team Iberia."""
    with in_workspace(cast.acme):
        invite("Ann@acme.example", role=Role.MANAGER, team=cast.iberia, site="http://x", by=actor("admin"))


def member(email="ann@acme.example") -> Membership:
    return Membership.objects.unscoped().select_related("user").get(user__email=email)


def nobody_joined() -> bool:
    return not SocialAccount.objects.exists() and not User.objects.filter(email="ann@acme.example").exists()


def entry(event: str, workspace) -> Entry:
    with in_workspace(workspace):
        return Entry.objects.filter(event=event).latest("id")


def test_an_invited_person_joins_without_a_password(own, issuer, invited, cast):
    client = Client()
    assert go_through(client, issuer, own).url == "/"
    joined = member()
    assert (joined.role, joined.team_id, joined.user.name) == (Role.MANAGER, cast.iberia.pk, "Ann Ruiz")
    assert not joined.user.has_usable_password()
    assert Invitation.objects.unscoped().get().accepted_at
    assert client.get("/settings/profile/").status_code == 200
    assert entry("user.account_linked", cast.acme).note == entry("user.signed_in", cast.acme).note == "Okta"


def test_an_invitation_needs_no_domain_but_an_address_that_is_verified(use, issuer, invited):
    provider = use(domains=[])
    issuer.person |= {"email_verified": False}
    assert "hasn’t verified your email address" in sentence(go_through(Client(), issuer, provider))
    assert nobody_joined()
    issuer.person |= {"email_verified": "true", "email": "Ann@ACME.example"}
    assert go_through(Client(), issuer, provider).status_code == 302


def test_microsoft_verifies_addresses_in_a_claim_of_its_own(use, issuer, invited):
    issuer.person |= {"xms_edov": "1"}
    del issuer.person["email_verified"]
    assert go_through(Client(), issuer, use(domains=[])).status_code == 302


def test_an_admitted_domain_joins_with_the_role_and_team_of_the_settings(use, issuer, cast):
    provider = use(domains=["acme.example"], join_role="viewer", join_team=cast.nordics)
    assert go_through(Client(), issuer, provider).url == "/"
    assert (member().role, member().team_id) == (Role.VIEWER, cast.nordics.pk)
    assert entry("member.added", cast.acme).note == "acme.example"


@pytest.mark.parametrize("email", ["ann@other.example", "ann@sub.acme.example", "ann@acme.example.evil.example"])
def test_another_domain_does_not_join(email, use, issuer):
    provider = use(domains=["acme.example"], join_role="rep")
    issuer.person |= {"email": email}
    assert "isn’t a member. Ask a workspace admin" in sentence(go_through(Client(), issuer, provider))
    assert nobody_joined()


def test_without_a_role_for_new_people_only_the_invited_join(own, issuer):
    assert "isn’t a member" in sentence(go_through(Client(), issuer, own))
    assert nobody_joined()


def test_an_unverified_address_neither_joins_nor_links(use, issuer, cast):
    provider = use(domains=["acme.example"], join_role="rep")
    for email in ("ann@acme.example", "rep@acme.example"):
        issuer.person |= {"email": email, "email_verified": False}
        assert "hasn’t verified" in sentence(go_through(Client(), issuer, provider))
    assert nobody_joined()


def test_a_linked_member_enters_whatever_the_address_is_by_then(own, issuer, cast):
    issuer.person |= {"email": "rep@acme.example"}
    assert go_through(Client(), issuer, own).status_code == 302
    issuer.person |= {"email": "married@other.example", "email_verified": False}
    client = Client()
    assert go_through(client, issuer, own).status_code == 302
    assert client.get("/settings/profile/").wsgi_request.user == cast.rep.user
    assert SocialAccount.objects.count() == 1


def test_an_existing_user_of_another_domain_links_after_the_password(use, issuer, cast):
    provider = use(domains=["acme.example"])
    issuer.person |= {"email": "boss@mail.example"}
    boss = make_member(cast.acme, "boss", Role.REP)
    User.objects.filter(pk=boss.user_id).update(email="boss@mail.example")
    assert "already has an account. Sign in with your password" in sentence(go_through(Client(), issuer, provider))
    assert not SocialAccount.objects.exists()
    client = Client()
    client.post("/accounts/login/", {"login": "boss@mail.example", "password": PASSWORD})
    assert go_through(client, issuer, provider).status_code == 302
    assert SocialAccount.objects.get().user_id == boss.user_id


def test_a_workspaces_issuer_does_not_link_who_belongs_to_another_workspace(use, issuer, cast):
    """Otherwise the admins of one workspace could become anybody's in another."""
    provider = use("globex_admin", domains=["acme.example"], join_role="rep")
    issuer.person |= {"email": "admin@acme.example"}
    assert "already has an account" in sentence(go_through(Client(), issuer, provider))
    with in_workspace(cast.globex):
        assert not Membership.objects.filter(user=cast.admin.user).exists()


def test_a_workspaces_issuer_does_not_sign_operators_in(own, issuer, cast):
    User.objects.filter(pk=cast.rep.user_id).update(is_superuser=True)
    issuer.person |= {"email": "rep@acme.example"}
    assert sentence(go_through(Client(), issuer, own))
    link(cast.rep.user, own, issuer)
    assert "Operators sign in with their password" in sentence(go_through(Client(), issuer, own))


def test_a_deactivated_member_does_not_come_back(use, issuer, cast, actor):
    provider = use(domains=["acme.example"], join_role="rep")
    issuer.person |= {"email": "rep@acme.example"}
    client = Client()
    go_through(client, issuer, provider)
    with in_workspace(cast.acme):
        deactivate_member(cast.rep, by=actor("admin"))
    assert client.get("/settings/profile/").status_code == 403
    assert "Your access was deactivated" in sentence(go_through(Client(), issuer, provider))
    User.objects.filter(pk=cast.rep.user_id).update(is_active=False)
    with in_workspace(cast.acme):
        Membership.objects.filter(pk=cast.rep.pk).update(is_active=True)
    assert go_through(Client(), issuer, provider).url == "/accounts/inactive/"


def test_the_installations_issuer_opens_every_workspace_of_the_user(shared, issuer, cast):
    issuer.person |= {"email": "rep@acme.example"}
    with in_workspace(cast.globex):
        Membership.objects.create(user=cast.rep.user, role=Role.REP)
    client = Client()
    assert go_through(client, issuer, shared).url == "/"
    assert client.post("/workspaces/globex/open/").url == "/"
    assert client.get("/settings/profile/").wsgi_request.member.workspace == cast.globex


def test_the_installations_issuer_joins_by_invitation_and_by_the_one_workspace_that_admits(
    shared, use, issuer, cast, invited
):
    assert go_through(Client(), issuer, shared).url == "/"
    assert member().role == Role.MANAGER
    issuer.person |= {"sub": "2", "email": "bo@acme.example"}
    assert "isn’t a member" in sentence(go_through(Client(), issuer, shared))
    use(issuer="", domains=["acme.example"], join_role="viewer")
    assert go_through(Client(), issuer, shared).url == "/"
    assert member("bo@acme.example").role == Role.VIEWER
    use("globex_admin", issuer="", domains=["acme.example"], join_role="rep")
    issuer.person |= {"sub": "3", "email": "cy@acme.example"}
    assert "isn’t a member" in sentence(go_through(Client(), issuer, shared))


def test_one_issuer_in_two_workspaces_is_two_accounts(use, issuer, cast):
    """An id at the issuer says nothing in a workspace that chose another issuer, or none."""
    acmes, globexs = use(domains=["acme.example"]), use("globex_admin", domains=["globex.example"])
    issuer.person |= {"email": "rep@acme.example"}
    assert go_through(Client(), issuer, acmes).status_code == 302
    issuer.person |= {"email": "rep@globex.example"}
    assert go_through(Client(), issuer, globexs).status_code == 302
    assert set(SocialAccount.objects.values_list("user", flat=True)) == {cast.rep.user_id, cast.globex_rep.user_id}


def test_an_id_at_the_former_issuer_is_nobody_at_the_new_one(own, issuer, cast):
    issuer.person |= {"email": "rep@acme.example"}
    assert go_through(Client(), issuer, own).status_code == 302
    issuer.person |= {"email": "ann@acme.example"}
    issuer.address = issuer.address.replace("127.0.0.1", "localhost")
    set_provider(issuer=issuer.address)
    assert "isn’t a member" in sentence(go_through(Client(), issuer, own))


def test_another_person_in_the_same_browser_gets_a_session_of_their_own(own, issuer, sign_in, cast):
    client = sign_in("mate")
    issuer.person |= {"email": "rep@acme.example"}
    assert go_through(client, issuer, own).status_code == 302
    assert client.get("/settings/profile/").wsgi_request.user == cast.rep.user


def test_a_provider_that_is_switched_off_meanwhile_does_not_sign_in(own, issuer, cast):
    issuer.person |= {"email": "rep@acme.example"}
    client = Client()
    left = leave(client, own)
    set_provider(is_on=False)
    assert come_back(client, issuer, left).status_code == 404


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_tabs_of_a_new_person_make_one_account(use, issuer):
    provider = use(domains=["acme.example"], join_role="rep")

    def enter(client: Client) -> int:
        try:
            return go_through(client, issuer, provider).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(enter, [Client() for _ in range(4)])) == [302] * 4
    assert SocialAccount.objects.get().user == member().user
    assert [message.to for message in mail.outbox] == [["ann@acme.example"]]
