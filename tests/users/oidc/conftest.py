"""An issuer on this machine, and a workspace that uses it."""

import hashlib
import html
import ipaddress
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from crm.environment import IdentityProvider as Installation
from crm.kit.scope import in_workspace
from crm.users.models import IdentityProvider
from crm.users.verbs.save_identity_provider import save_identity_provider
from tests.users.oidc.server import CLIENT, SECRET, Issuer


@pytest.fixture
def issuer(settings) -> Iterator[Issuer]:
    """Run an issuer; the network of this machine is open to requests of ours."""
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    server = Issuer()
    yield server
    server.close()


@pytest.fixture
def use(cast, actor, issuer) -> Callable[..., str]:
    """`use(domains=[…], …)` sets up acme's own provider and returns its id."""

    def used(who="admin", **values) -> str:
        facts = {"is_on": True, "name": "Okta", "issuer": issuer.address, "client_id": CLIENT, "secret": SECRET}
        member = getattr(cast, who)
        with in_workspace(member.workspace):
            return save_identity_provider(**facts | values, by=actor(who)).public_id

    return used


@pytest.fixture
def own(use) -> str:
    """Return the id of acme's provider, which may speak for acme.example; people join by invitation."""
    return use(domains=["acme.example"])


@pytest.fixture
def shared(settings, issuer) -> str:
    """Return the id of the installation's provider, which may speak for acme.example."""
    settings.IDENTITY_PROVIDER = Installation("Google", issuer.address, CLIENT, SECRET, ("acme.example",))
    return "installation"


def leave(client: Client, provider: str, way: str = "login", **data):
    """Click the provider's button; return the response, which leads to the issuer."""
    return client.post(f"/accounts/oidc/{provider}/{way}/", data)


def come_back(client: Client, issuer: Issuer, left):
    """Sign in there as the issuer's person, and return our response to it."""
    query = dict(parse_qsl(urlsplit(address_of(left)).query))
    return client.get(issuer.authorize(query).removeprefix("http://testserver"))


def address_of(left) -> str:
    """Return where the page leads to."""
    page = left.content.decode()
    found = re.search('http-equiv="refresh" content="0; url=([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def go_through(client: Client, issuer: Issuer, provider: str, way: str = "login", **data):
    return come_back(client, issuer, leave(client, provider, way, **data))


def link(user, provider: str, issuer: Issuer, subject: str = "1") -> None:
    """Link a user to the subject, as signing in would."""
    uid = hashlib.sha256(f"{issuer.address} {subject}".encode()).hexdigest()
    SocialAccount.objects.create(user=user, provider=provider, uid=uid)


def set_provider(**values) -> None:
    IdentityProvider.objects.unscoped().update(**values)
