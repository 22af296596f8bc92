"""Second factors: at sign-in, and where a workspace asks everybody for one."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from django.test import Client

from crm.users.models import Workspace
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def code_of(secret) -> str:
    return f"{hotp_value(secret, int(time.time()) // 30):06d}"


@pytest.fixture
def secret(cast):
    secret = generate_totp_secret()
    TOTP.activate(cast.rep.user, secret)
    return secret


def test_a_password_alone_does_not_sign_in_who_has_a_second_factor(cast, secret):
    client = Client()
    response = client.post("/accounts/login/", {"login": "rep@acme.example", "password": PASSWORD})
    assert response.url == "/accounts/2fa/authenticate/"
    assert client.get("/settings/profile/").status_code == 302
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}).url == "/"
    assert client.get("/settings/profile/").status_code == 200


def test_a_workspace_that_asks_for_a_second_factor_lets_nobody_work_without(cast, sign_in):
    Workspace.objects.filter(pk=cast.acme.pk).update(require_mfa=True)
    client = sign_in("rep")
    assert client.get("/settings/people/").url == "/accounts/2fa/"
    assert "asks for a second factor" in client.get("/accounts/2fa/").content.decode()
    assert sign_in("globex_rep").get("/settings/profile/").status_code == 200


def test_who_has_a_second_factor_works_on(cast, secret, sign_in):
    Workspace.objects.filter(pk=cast.acme.pk).update(require_mfa=True)
    assert sign_in("rep").get("/settings/profile/").status_code == 200
