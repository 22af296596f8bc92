"""2FA: at sign-in, and where a workspace requires it."""

import time
from importlib import import_module

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from audit.models import Entry
from crm.kit.scope import in_workspace
from crm.users.models import Workspace
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.once]
migration = import_module("crm.users.migrations.0005_encrypt_second_factors")


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
    assert "requires two-factor authentication" in client.get("/accounts/2fa/").content.decode()
    assert sign_in("globex_rep").get("/settings/profile/").status_code == 200


def test_who_has_a_second_factor_works_on(cast, secret, sign_in):
    Workspace.objects.filter(pk=cast.acme.pk).update(require_mfa=True)
    assert sign_in("rep").get("/settings/profile/").status_code == 200


def test_one_code_signs_in_once(cast, secret):
    code, clients = code_of(secret), [Client(), Client()]
    for client in clients:
        client.post("/accounts/login/", {"login": "rep@acme.example", "password": PASSWORD})
    assert [client.post("/accounts/2fa/authenticate/", {"code": code}).status_code for client in clients] == [302, 200]


def stored() -> str:
    return str(list(Authenticator.objects.order_by("pk").values_list("data", flat=True)))


def test_secrets_are_stored_encrypted(cast, secret):
    recovery = RecoveryCodes.activate(cast.rep.user)
    assert secret not in stored()
    assert decrypt(recovery.instance.data["seed"]) not in stored()
    codes = recovery.get_unused_codes()
    assert recovery.validate_code(codes[0])
    assert not recovery.validate_code(codes[0])


def test_secrets_from_before_are_encrypted_by_the_migration_and_back(cast, secret):
    totp, other = Authenticator.objects.get(), {"seed": "5ee0", "used_mask": 0, "migrated_codes": ["1234", "5678"]}
    Authenticator.objects.filter(pk=totp.pk).update(data={"secret": secret})
    Authenticator.objects.create(user=cast.mate.user, type="recovery_codes", data=other)
    clear = stored()
    for _ in range(2):
        migration.encrypt(apps, None)
        assert not any(text in stored() for text in (secret, "5ee0", "1234"))
    totp.refresh_from_db()
    assert TOTP(totp).validate_code(code_of(secret))
    migration.decrypt(apps, None)
    assert stored() == clear


def test_a_factor_under_another_key_says_so_and_can_be_removed(cast, secret, settings, capsys):
    settings.SECRET_KEY = "another"
    client = Client()
    client.post("/accounts/login/", {"login": "rep@acme.example", "password": PASSWORD})
    page = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert page.status_code == 409
    assert "read your two-factor method" in page.content.decode()
    call_command("remove_second_factors", "Rep@acme.example")
    assert capsys.readouterr().out == "1 two-factor method of rep@acme.example removed.\n"
    with in_workspace(cast.acme):
        assert Entry.objects.get(event="user.factor_removed").note == "totp"
    assert Client().post("/accounts/login/", {"login": "rep@acme.example", "password": PASSWORD}).url == "/"
    with pytest.raises(CommandError, match="No account"):
        call_command("remove_second_factors", "nobody@acme.example")
