"""Settings → Sign-in, and the verb behind it."""

import pytest
from django.db import connection

from audit.models import Entry
from crm.kit.actor import Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.scope import in_workspace
from crm.users.models import IdentityProvider, User, Workspace
from crm.users.oidc.issuers import decrypt
from tests.users.oidc.conftest import leave
from tests.users.oidc.server import CLIENT, SECRET

pytestmark = [pytest.mark.django_db, pytest.mark.once]
PAGE = "/settings/sign-in/"


@pytest.fixture
def entered(issuer) -> dict:
    facts = {"name": "Okta", "issuer": issuer.address, "client_id": CLIENT, "secret": SECRET}
    return facts | {"source": "own", "domains": "@Acme.example, acme.org", "join_role": "rep"}


def stored(cast) -> IdentityProvider:
    with in_workspace(cast.acme):
        return IdentityProvider.objects.get()


def test_an_admin_sets_the_provider_up_with_the_address_shown_before(entered, sign_in, cast, actor):
    client = sign_in("admin")
    registered = client.get(PAGE).context["redirect_uri"]
    assert client.post(PAGE, entered | {"join_team": cast.nordics.pk}).status_code == 302
    row = stored(cast)
    assert registered == f"http://testserver/accounts/oidc/{row.public_id}/login/callback/"
    assert (row.is_on, row.domains, row.join_role, row.join_team_id) == (
        True,
        ["acme.example", "acme.org"],
        Role.REP,
        cast.nordics.pk,
    )
    page = client.get(PAGE).content.decode()
    assert f"http://testserver/accounts/oidc/{row.public_id}/login/" in page
    assert "acme.example, acme.org" in page


def test_the_secret_is_encrypted_and_neither_shown_nor_logged(entered, sign_in, cast):
    client = sign_in("admin")
    client.post(PAGE, entered)
    client.post(PAGE, entered | {"secret": f"{SECRET} 2"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM users_identityprovider")
        assert SECRET not in str(cursor.fetchall())
    assert decrypt(stored(cast).secret) == f"{SECRET} 2"
    assert SECRET not in client.get(PAGE).content.decode()
    with in_workspace(cast.acme):
        entries = Entry.objects.filter(entity="identity_provider").order_by("id")
        assert SECRET not in str(list(entries.values()))
        assert [entry.note for entry in entries] == [None, "secret"]


def test_a_blank_secret_is_kept_but_not_sent_to_another_issuer(entered, sign_in, cast):
    client = sign_in("admin")
    client.post(PAGE, entered)
    assert client.post(PAGE, entered | {"secret": "", "name": "Okta 2"}).status_code == 302
    assert decrypt(stored(cast).secret) == SECRET
    moved = client.post(PAGE, entered | {"secret": "", "issuer": "https://thief.example"})
    assert moved.status_code == 422
    assert "Enter the client secret" in moved.content.decode()


def test_a_secret_stored_under_another_key_is_reported_as_wrong(own, issuer, client, settings):
    settings.SECRET_KEY = "another"
    assert leave(client, own).status_code == 200


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"issuer": ""}, "issuer", "Enter the issuer address"),
        ({"issuer": "https://accounts.example/?a=b"}, "issuer", "Enter a valid URL"),
        ({"issuer": "accounts.example"}, "issuer", "starts with https://"),
        ({"name": " "}, "name", "Enter a name"),
        ({"client_id": ""}, "client_id", "Enter the client ID"),
        ({"secret": ""}, "secret", "Enter the client secret"),
        ({"domains": "acme"}, "domains", "isn’t a domain"),
        ({"domains": "gmail.com"}, "domains", "Everyone can have an address at gmail.com"),
        ({"domains": ""}, "domains", "Enter the domains"),
        ({"join_role": "admin"}, "join_role", "Select a valid choice"),
    ],
)
def test_nonsense_is_refused_at_its_field(values, field, message, entered, sign_in, cast):
    response = sign_in("admin").post(PAGE, entered | values)
    assert response.status_code == 422
    assert message in str(response.context["form"].errors[field])
    with in_workspace(cast.acme):
        assert not IdentityProvider.objects.exists()


def test_a_public_issuer_must_be_called_by_https(entered, sign_in, settings):
    settings.WEBHOOK_NETWORKS = []
    assert sign_in("admin").post(PAGE, entered).status_code == 422


def test_passwords_are_turned_off_only_while_an_admin_has_one(use, cast):
    User.objects.filter(pk=cast.admin.user_id).update(password="!")
    with pytest.raises(Invalid, match="An admin needs a password"):
        use(require_provider=True)
    with in_workspace(cast.acme):
        assert not IdentityProvider.objects.exists()


def test_passwords_are_off_while_a_provider_is_on(entered, sign_in, cast):
    client = sign_in("admin")
    assert client.post(PAGE, entered | {"require_provider": "on"}).status_code == 302
    assert Workspace.objects.get(pk=cast.acme.pk).require_provider
    assert "Admin keeps the password even then" in client.get(PAGE).content.decode()
    client.post(PAGE, entered | {"source": "off", "require_provider": "on"})
    assert not Workspace.objects.get(pk=cast.acme.pk).require_provider
    with in_workspace(cast.acme):
        changes = Entry.objects.filter(event="workspace.updated").order_by("id")
        assert [entry.new_values["require_provider"] for entry in changes] == [True, False]


def test_the_installations_provider_is_offered_for_the_domains_it_may_speak_for(shared, entered, sign_in, cast):
    client = sign_in("admin")
    shared_one = entered | {"source": "installation"}
    refused = client.post(PAGE, shared_one)
    assert "Google may not speak for acme.org" in refused.content.decode()
    assert client.post(PAGE, shared_one | {"domains": "acme.example"}).status_code == 302
    assert (stored(cast).issuer, stored(cast).is_on) == ("", True)


def test_without_one_in_the_environment_only_an_own_provider_is_offered(use, entered, sign_in):
    assert sign_in("admin").post(PAGE, entered | {"source": "installation"}).status_code == 422
    with pytest.raises(Invalid, match="Enter the issuer address"):
        use(issuer="")


@pytest.mark.parametrize("who", ["viewer", "rep", "manager"])
def test_only_admins_change_how_members_sign_in(who, use):
    with pytest.raises(NotAllowed):
        use(who)


def notice(client, values) -> str:
    return client.post(PAGE, values | {"test": "1"}).content.decode().split('role="status">')[1].split("</p>")[0]


def test_the_connection_is_tested_as_entered_without_saving(entered, issuer, sign_in, cast, settings, monkeypatch):
    client = sign_in("admin")
    assert "can be reached, and its configuration is valid" in notice(client, entered)
    assert "Check the issuer address" in notice(client, entered | {"issuer": issuer.address + "/no"})
    well_known = issuer.address + "/.well-known/openid-configuration"
    assert "is valid" in notice(client, entered | {"issuer": well_known})
    monkeypatch.setattr(issuer, "configuration", lambda: {"issuer": "https://other.example"})
    assert "is the issuer https://other.example. Enter that address" in notice(client, entered)
    assert "Couldn’t read the configuration" in notice(client, entered | {"issuer": "http://127.0.0.1:1"})
    settings.WEBHOOK_NETWORKS = []
    inside = notice(client, entered | {"issuer": "https://localhost"})
    assert "can’t be sent to this network" in inside
    with in_workspace(cast.acme):
        assert not IdentityProvider.objects.exists()


def test_tests_of_the_connection_are_limited(entered, sign_in, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "provider_test": (1, 600)}
    client = sign_in("admin")
    assert [client.post(PAGE, entered | {"test": "1"}).status_code for _ in range(2)] == [200, 429]
