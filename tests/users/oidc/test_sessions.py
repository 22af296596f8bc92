"""What a session opens after a sign-in with an issuer, and where passwords are off."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from audit.models import Entry
from crm.kit.actor import Role
from crm.kit.errors import Refused
from crm.kit.scope import in_workspace
from crm.users.models import Membership, User
from crm.users.verbs.change_role import change_role
from crm.users.verbs.deactivate_member import deactivate_member
from crm.users.verbs.invite import invite
from tests.conftest import PASSWORD, make_member
from tests.users.oidc.conftest import go_through, link, set_provider
from tests.users.oidc.test_protocol import sentence
from tests.users.test_second_factor import code_of

pytestmark = [pytest.mark.django_db, pytest.mark.once]
HOME = "/settings/profile/"


@pytest.fixture
def strict(use) -> str:
    """Return the id of acme's provider, which its members must use."""
    return use(domains=["acme.example"], require_provider=True)


@pytest.fixture
def both(cast):
    """Make acme's rep a member of globex, too."""
    with in_workspace(cast.globex):
        Membership.objects.create(user=cast.rep.user, role=Role.REP)
    return cast.rep.user


def by_password(email: str) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    return client


def by_issuer(issuer, provider, email) -> Client:
    client = Client()
    issuer.person |= {"sub": email, "email": email}
    assert go_through(client, issuer, provider).status_code == 302
    return client


def test_a_password_does_not_open_a_workspace_that_turned_passwords_off(strict, issuer, cast):
    client = by_password("rep@acme.example")
    page = client.get(HOME)
    assert page.status_code == 403
    assert f"/accounts/oidc/{strict}/login/" in page.content.decode()
    issuer.person |= {"email": "rep@acme.example"}
    assert go_through(client, issuer, strict, next=HOME).url == HOME
    assert client.get(HOME).status_code == 200


def test_sessions_from_before_end_when_passwords_are_turned_off(use, cast):
    client = by_password("rep@acme.example")
    assert client.get(HOME).status_code == 200
    use(domains=["acme.example"], require_provider=True)
    assert client.get(HOME).status_code == 403


def test_one_admin_keeps_the_password(strict, cast):
    second = make_member(cast.acme, "second", Role.ADMIN)
    assert by_password("admin@acme.example").get(HOME).status_code == 200
    assert by_password(second.user.email).get(HOME).status_code == 403


def test_the_last_admin_with_a_password_stays_one(strict, cast, actor):
    second = make_member(cast.acme, "second", Role.ADMIN)
    User.objects.filter(pk=second.user_id).update(password="!")
    with in_workspace(cast.acme):
        for attempt in (lambda: deactivate_member(cast.admin, by=actor("admin")), lambda: demote(cast.admin, actor)):
            with pytest.raises(Refused, match="only admin with a password"):
                attempt()
        User.objects.filter(pk=second.user_id).update(password=cast.admin.user.password)
        demote(cast.admin, actor)
    assert by_password(second.user.email).get(HOME).status_code == 200


def demote(member, actor):
    return change_role(member, Role.REP, by=actor("admin"))


def test_an_invitation_leads_to_the_provider_where_passwords_are_off(strict, issuer, cast, actor):
    with in_workspace(cast.acme):
        link = invite("ann@acme.example", role=Role.REP, site="http://testserver", by=actor("admin")).link
    client = Client()
    page = client.get(link).content.decode()
    assert "Sign in to Okta as ann@acme.example to join" in page
    assert 'name="password"' not in page
    assert client.post(link, {"name": "Ann", "password": "a-good-passphrase"}).status_code == 200
    assert not User.objects.filter(email="ann@acme.example").exists()
    assert go_through(client, issuer, strict).url == "/"
    assert client.get(HOME).status_code == 200


def test_an_invitation_offers_the_provider_beside_a_password(own, cast, actor):
    with in_workspace(cast.acme):
        link = invite("ann@acme.example", role=Role.REP, site="http://testserver", by=actor("admin")).link
    page = Client().get(link).content.decode()
    assert 'name="password"' in page
    assert "Continue with Okta" in page


def test_a_workspaces_issuer_opens_only_its_workspace(own, issuer, both, cast):
    link(both, own, issuer, "rep@acme.example")
    User.objects.filter(pk=both.pk).update(membership=None)
    elsewhere = by_password("rep@acme.example")
    elsewhere.post("/workspaces/globex/open/")
    client = by_issuer(issuer, own, "rep@acme.example")
    assert client.get(HOME).wsgi_request.member.workspace == cast.acme
    refused = client.post("/workspaces/globex/open/")
    assert refused.status_code == 409
    assert "Sign out, then sign in to Globex" in refused.content.decode()
    assert elsewhere.get(HOME).wsgi_request.member.workspace == cast.globex


def test_from_a_workspace_with_passwords_one_gets_to_the_strict_one_by_its_provider(strict, both, cast):
    client = by_password("rep@acme.example")
    assert client.get(HOME).wsgi_request.member.workspace == cast.globex
    assert client.post("/workspaces/acme/open/").url == f"/accounts/oidc/{strict}/login/"


def test_the_installations_issuer_opens_a_strict_workspace_only_if_that_uses_it(shared, use, issuer, cast):
    use(issuer="", domains=["acme.example"], require_provider=True)
    client = by_issuer(issuer, shared, "rep@acme.example")
    assert client.get(HOME).status_code == 200
    use(domains=["acme.example"], require_provider=True)
    assert client.get(HOME).status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        "/accounts/email/",
        "/accounts/password/set/",
        "/accounts/password/change/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/linked/",
    ],
)
def test_a_session_of_a_workspaces_issuer_adds_nothing_that_signs_in_elsewhere(url, own, issuer, cast):
    client = by_issuer(issuer, own, "rep@acme.example")
    go_through(client, issuer, own, "confirm")
    refused = client.get(url)
    assert refused.status_code == 403
    assert "Sign in with your password to change this" in refused.content.decode()
    page = client.get("/settings/security/").content.decode()
    assert url not in page


def test_the_second_factor_is_asked_for_after_the_issuer_too(own, issuer, cast):
    secret = generate_totp_secret()
    TOTP.activate(cast.rep.user, secret)
    client, issuer.person["email"] = Client(), "rep@acme.example"
    assert go_through(client, issuer, own, next=HOME).url == "/accounts/2fa/authenticate/"
    assert client.get(HOME).status_code == 302
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}).url == HOME
    assert client.get("/accounts/email/").status_code == 403, "the session is still the issuer's"


def test_a_member_without_a_password_confirms_a_change_by_the_provider(own, issuer, cast):
    User.objects.filter(pk=cast.rep.user_id).update(password="!")
    client = by_issuer(issuer, own, "rep@acme.example")
    wanted = "/accounts/2fa/totp/activate/"
    asked = client.get(wanted)
    assert asked.url == f"/accounts/oidc/{own}/confirm/?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    assert "Continue with Okta" in client.get(asked.url).content.decode()
    assert go_through(client, issuer, own, "confirm", next=wanted).url == wanted
    assert issuer.asked[-1]["prompt"] == "login"
    assert issuer.asked[-1]["max_age"] == "0"
    assert client.get(wanted).status_code == 200


def test_a_confirmation_is_of_the_same_person_and_of_now(own, issuer, cast):
    client = by_issuer(issuer, own, "rep@acme.example")
    issuer.claims = {"auth_time": int(time.time()) - 900}
    assert "didn’t ask you to sign in again" in sentence(go_through(client, issuer, own, "confirm"))
    issuer.claims = {"sub": "another"}
    assert "confirmed with another account" in sentence(go_through(client, issuer, own, "confirm"))
    assert client.get("/accounts/2fa/totp/activate/").status_code == 302


def test_a_password_still_confirms_after_a_sign_in_with_it(own, cast):
    client = by_password("rep@acme.example")
    assert client.get("/accounts/2fa/totp/activate/").url.startswith("/accounts/reauthenticate/")


def test_a_member_links_and_unlinks_an_account(own, issuer, cast):
    client = by_password("rep@acme.example")
    assert "Link Okta" in client.get("/accounts/linked/").content.decode()
    begun = client.post(f"/accounts/oidc/{own}/login/", {"process": "connect", "next": "/accounts/linked/"})
    assert begun.url.startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    issuer.person |= {"email": "private@mail.example", "email_verified": False}
    assert go_through(client, issuer, own, process="connect", next="/accounts/linked/").url == "/accounts/linked/"
    account = SocialAccount.objects.get(user=cast.rep.user)
    page = client.get("/accounts/linked/").content.decode()
    assert "private@mail.example" in page
    assert "Link Okta" not in page
    assert client.post("/accounts/linked/", {"account": account.pk}).status_code == 302
    assert not SocialAccount.objects.exists()
    with in_workspace(cast.acme):
        noted = Entry.objects.filter(event__startswith="user.account").order_by("id")
        assert [(entry.event, entry.note) for entry in noted] == [
            ("user.account_linked", "Okta"),
            ("user.account_unlinked", "Okta"),
        ]


def test_an_account_of_a_provider_that_is_gone_can_be_unlinked(own, shared, issuer, cast, settings):
    for provider in (own, shared):
        link(cast.rep.user, provider, issuer)
    settings.IDENTITY_PROVIDER = None
    set_provider(issuer="", is_on=False)
    client = by_password("rep@acme.example")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    for account in SocialAccount.objects.all():
        assert client.post("/accounts/linked/", {"account": account.pk}).status_code == 302
    assert not SocialAccount.objects.exists()


def test_an_account_of_another_workspaces_provider_is_not_linked(own, issuer, cast):
    client = by_password("rep@globex.example")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert "aren’t a member" in sentence(go_through(client, issuer, own, process="connect"))


def test_the_sign_in_page_offers_the_installations_provider_and_the_one_used_in_this_browser(own, shared, issuer, cast):
    fresh = Client().get("/accounts/login/").content.decode()
    assert "Continue with Google" in fresh
    assert "Okta" not in fresh
    client = by_issuer(issuer, own, "rep@acme.example")
    client.post("/accounts/logout/")
    assert client.get(HOME).status_code == 302
    assert "Continue with Okta" in client.get("/accounts/login/").content.decode()


def test_the_button_remembers_where_the_visitor_wanted_to_go(shared):
    page = Client().get("/accounts/login/?next=/settings/security/").content.decode()
    button = page.split("/accounts/oidc/installation/login/")[1].split("</form>")[0]
    assert 'name="next" value="/settings/security/"' in button
