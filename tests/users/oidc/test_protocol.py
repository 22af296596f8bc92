"""What we believe of an issuer, and what we don't."""

import time

import jwt
import pytest
from django.test import Client

from crm.kit import outgoing
from crm.users.models import User
from tests.users.oidc.conftest import address_of, come_back, go_through, leave, set_provider
from tests.users.oidc.server import make_key

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def ann(cast) -> User:
    return User.objects.create_user("ann@acme.example", None)


@pytest.fixture
def rep(cast, issuer):
    """Let the issuer's person be acme's rep."""
    issuer.person |= {"email": "rep@acme.example"}


def sentence(response) -> str:
    assert response.status_code in (403, 502), response
    return response.context["sentence"]


def test_a_member_signs_in_and_lands_where_they_wanted(own, issuer, rep):
    client = Client()
    response = go_through(client, issuer, own, next="/settings/profile/")
    assert (response.status_code, response.url) == (302, "/settings/profile/")
    assert client.get(response.url).context["request"].user.email == "rep@acme.example"
    (asked,) = issuer.asked
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}
    assert len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    assert asked["nonce"] != asked["code_challenge"]


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_a_sign_in_does_not_lead_to_another_site(where, own, issuer, rep):
    assert go_through(Client(), issuer, own, next=where).url == "/"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"aud": ["throughline", "another"], "azp": "another"},
        {"iss": "https://another.example"},
        {"exp": int(time.time()) - 300},
        {"iat": int(time.time()) + 3600},
        {"sub": ""},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_a_token_for_somebody_or_something_else_is_not_believed(claims, own, issuer, rep):
    issuer.claims = claims
    assert "isn’t valid for this sign-in" in sentence(go_through(Client(), issuer, own))


def test_a_signature_by_a_key_that_is_not_the_issuers_is_not_believed(own, issuer, rep):
    issuer.key = (issuer.key[0], make_key()[1])
    assert "isn’t valid" in sentence(go_through(Client(), issuer, own))


@pytest.mark.parametrize(("key", "algorithm"), [("", "none"), ("a:secret/with signs" * 3, "HS256")])
def test_a_token_without_a_signature_of_the_issuer_is_not_believed(key, algorithm, own, issuer, rep, monkeypatch):
    signed = jwt.encode

    def forge(claims, _key, **options):
        return signed(claims, key or None, algorithm=algorithm, headers=options["headers"])

    monkeypatch.setattr(jwt, "encode", forge)
    assert "isn’t valid" in sentence(go_through(Client(), issuer, own))


def test_a_rotated_key_works_at_once_and_the_old_one_no_longer(own, issuer, rep):
    old = issuer.key
    assert go_through(Client(), issuer, own).status_code == 302
    issuer.rotate()
    assert go_through(Client(), issuer, own).status_code == 302
    issuer.key = old
    assert "isn’t valid" in sentence(go_through(Client(), issuer, own))


def test_an_answer_works_once_and_only_in_the_browser_that_began(own, issuer, rep):
    client, other = Client(), Client()
    left = leave(client, own)
    assert "started in another browser" in sentence(come_back(other, issuer, left))
    assert come_back(client, issuer, left).status_code == 302
    assert "started in another browser" in sentence(come_back(client, issuer, left))


def test_a_code_of_another_sign_in_is_of_no_use(own, issuer, rep):
    """The PKCE secret is in the session of the one who began."""
    client, attacker = Client(), Client()
    left, theirs = leave(client, own), leave(attacker, own)
    mine = come_back(Client(), issuer, left).wsgi_request.GET["code"]
    state = dict(part.split("=") for part in address_of(theirs).split("?")[1].split("&"))["state"]
    back = f"/accounts/oidc/{own}/login/callback/?code={mine}&state={state}"
    assert "didn’t complete" in sentence(attacker.get(back))


def test_a_wrong_secret_says_so(use, issuer, rep):
    provider = use(domains=["acme.example"], secret="wrong")
    assert "rejected Throughline’s client ID or secret" in sentence(go_through(Client(), issuer, provider))


def test_a_client_may_be_authenticated_by_a_header(own, issuer, rep, monkeypatch):
    told = issuer.configuration()
    told["token_endpoint_auth_methods_supported"] = ["client_secret_basic"]
    monkeypatch.setattr(issuer, "configuration", lambda: told)
    assert go_through(Client(), issuer, own).status_code == 302


def test_canceling_leads_back_to_the_sign_in_page(own, issuer):
    issuer.broken = "access_denied"
    client = Client()
    assert go_through(client, issuer, own).url == "/accounts/login/"
    assert "You canceled the sign-in with Okta" in client.get("/accounts/login/").content.decode()


def test_an_error_of_the_issuer_says_where_to_look(own, issuer):
    issuer.broken = "server_error"
    assert "Okta refused the sign-in" in sentence(go_through(Client(), issuer, own))


def test_an_issuer_that_is_down_or_away_says_so(own, issuer, monkeypatch):
    issuer.broken = "down"
    assert "responded with 500" in sentence(leave(Client(), own))
    set_provider(issuer="http://127.0.0.1:1/")
    assert "can’t be reached right now" in sentence(leave(Client(), own))


def test_an_issuer_in_a_closed_network_is_not_called(own, issuer, settings):
    settings.WEBHOOK_NETWORKS = []
    assert "can’t be reached" in sentence(leave(Client(), own))
    assert issuer.asked == []


def test_the_operators_issuer_may_be_in_any_network(shared, issuer, settings, rep):
    settings.WEBHOOK_NETWORKS = []
    assert go_through(Client(), issuer, shared).status_code == 302


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://another.example"),
        ("authorization_endpoint", "javascript:alert(1)"),
        ("authorization_endpoint", None),
        ("token_endpoint", 7),
        ("jwks_uri", "https://user:password@example.com/"),
    ],
)
def test_a_configuration_that_does_not_fit_is_not_used(name, value, own, issuer, monkeypatch):
    told = issuer.configuration() | {name: value}
    monkeypatch.setattr(issuer, "configuration", lambda: told)
    assert leave(Client(), own).status_code == 502


def test_a_large_document_is_not_read(own, issuer, monkeypatch):
    told = issuer.configuration() | {"padding": "x" * 600_000}
    monkeypatch.setattr(issuer, "configuration", lambda: told)
    assert "can’t be reached" in sentence(leave(Client(), own))


def test_a_redirect_of_the_issuer_is_not_followed(own, issuer, monkeypatch):
    monkeypatch.setattr(issuer, "configuration", dict)
    set_provider(issuer=f"{issuer.address}/authorize?state=x&redirect_uri={issuer.address}/keys&")
    assert leave(Client(), own).status_code == 502


def test_an_issuer_that_does_not_answer_is_given_up(own, issuer, monkeypatch):
    waiting = __import__("threading").Event()
    monkeypatch.setattr(issuer, "configuration", lambda: waiting.wait(5) and {})
    monkeypatch.setattr("crm.users.oidc.transport.TIMEOUT", 0.2)
    assert "can’t be reached" in sentence(leave(Client(), own))
    waiting.set()
    assert outgoing.TIMEOUT > 0.2


def test_userinfo_completes_a_token_without_an_address_for_the_same_person_only(own, issuer, rep):
    about = {key: issuer.person.pop(key) for key in ("email", "email_verified", "name")}
    issuer.in_userinfo = about | {"sub": "another"}
    assert "hasn’t verified your email address" in sentence(go_through(Client(), issuer, own))
    issuer.in_userinfo = about | {"sub": "1"}
    assert go_through(Client(), issuer, own).status_code == 302


def test_sign_ins_are_limited_per_address(own, issuer, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": "3/m/ip"}
    assert [leave(Client(), own).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_an_unknown_provider_and_one_that_is_off_are_not_there(own, issuer):
    client = Client()
    assert client.get(f"/accounts/oidc/{own}/login/").status_code == 200
    set_provider(is_on=False)
    for id in (own, "sso_nothing00", "installation", "openid_connect"):
        assert [client.get(f"/accounts/oidc/{id}/login/").status_code, leave(client, id).status_code] == [404, 404]
