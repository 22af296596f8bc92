"""Sign-in: one form, no lock-out, and no account enumeration."""

from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core import mail
from django.test import Client

from crm.users.models import User
from tests.conftest import PASSWORD

LOGIN = "/accounts/login/"
pytestmark = [pytest.mark.django_db, pytest.mark.once]


def attempt(email, password, client=None, address="203.0.113.1"):
    return (client or Client()).post(LOGIN, {"login": email, "password": password}, REMOTE_ADDR=address)


def test_email_and_password_are_on_one_form(cast):
    page = Client().get(LOGIN).content.decode()
    assert 'name="login"' in page
    assert 'name="password"' in page
    response = attempt("Rep@Acme.example", PASSWORD)
    assert (response.status_code, response.url) == (302, "/")


def test_twenty_bad_attempts_end_in_429_and_the_owner_still_gets_in(cast):
    bad = [attempt("rep@acme.example", "wrong-password-x").status_code for _ in range(20)]
    assert bad[0] == 200
    assert bad[-1] == 429
    assert attempt("rep@acme.example", PASSWORD, address="198.51.100.7").status_code == 302


@pytest.mark.parametrize("address", ["203.0.113.{}", "2001:db8:0:{}::1"])
def test_guessing_from_many_addresses_becomes_slow(address, cast, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "account_failed": "12/h/key"}
    guesses = [
        [attempt("rep@acme.example", "wrong-password-x", address=address.format(n)).status_code for _ in range(4)]
        for n in range(6)
    ]
    assert guesses == [[200] * 4] * 3 + [[200, 200, 429, 429]] * 3
    assert attempt("mate@acme.example", PASSWORD, address=address.format(99)).status_code == 302


def test_an_ipv6_network_is_one_address(cast):
    codes = [attempt("rep@acme.example", "wrong-password-x", address=f"2001:db8::{n}").status_code for n in range(8)]
    assert codes[5:] == [429] * 3


def test_no_attack_keeps_the_right_password_out(cast, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "account_failed": "3/h/key"}
    for n in range(8):
        attempt("rep@acme.example", "wrong-password-x", address=f"203.0.113.{n}")
    assert attempt("rep@acme.example", PASSWORD, address="198.51.100.7").status_code == 302


def test_a_browser_that_was_signed_in_before_is_not_held_to_the_limit_of_the_account(cast, settings):
    known = Client()
    assert attempt("rep@acme.example", PASSWORD, known).status_code == 302
    known.post("/accounts/logout/")
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "account_failed": "3/h/key"}
    for n in range(4):
        attempt("rep@acme.example", "wrong-password-x", address=f"203.0.113.{n}")
    wrong = [attempt("rep@acme.example", "wrong-password-x", address="198.51.100.7").status_code for _ in range(3)]
    assert wrong == [200, 200, 429]
    assert attempt("rep@acme.example", PASSWORD, address="198.51.100.7").status_code == 429
    assert attempt("rep@acme.example", PASSWORD, known, address="198.51.100.7").status_code == 302


def test_a_made_up_forwarded_address_does_not_change_who_is_counted(cast):
    codes = [
        Client()
        .post(
            LOGIN,
            {"login": "rep@acme.example", "password": "wrong-password-x"},
            REMOTE_ADDR="203.0.113.1",
            HTTP_X_FORWARDED_FOR=f"198.51.100.{n}",
        )
        .status_code
        for n in range(8)
    ]
    assert codes[-1] == 429


def test_unknown_and_known_addresses_get_the_same_answer_and_the_same_work(cast, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    set_passwords(cast.rep.user, PASSWORD)
    set_passwords(cast.mate.user, None)  # created by an operator, no password set yet
    User.objects.filter(pk=cast.outsider.user_id).update(is_active=False)
    set_passwords(cast.outsider.user, PASSWORD)
    people = ("rep", "mate", "outsider", "nobody")
    answers = {name: answer_and_work(f"{name}@acme.example") for name in people}
    status, errors, hashed = answers["nobody"]
    assert set(answers.values()) == {(200, errors, 1)}
    assert (status, hashed) == (200, 1)
    assert errors


def set_passwords(user, password) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])


def answer_and_work(email) -> tuple[int, str, int]:
    """Return status, errors, and the number of password hashes: the only step slow enough to be timed."""
    real, hashed = PBKDF2PasswordHasher.encode, []
    with patch.object(PBKDF2PasswordHasher, "encode", lambda self, *a, **k: hashed.append(1) or real(self, *a, **k)):
        response = attempt(email, "wrong-password-x")
    return response.status_code, str(response.context["form"].errors), len(hashed)


def test_asking_for_a_new_password_says_the_same_for_everybody_and_mails(cast):
    answers = [
        Client().post("/accounts/password/reset/", {"email": e}) for e in ("rep@acme.example", "no@acme.example")
    ]
    assert len({(a.status_code, a.url) for a in answers}) == 1
    assert [m.to for m in mail.outbox] == [["rep@acme.example"], ["no@acme.example"]]
    assert "/accounts/password/reset/key/" in mail.outbox[0].body
    assert "/accounts/password/reset/key/" not in mail.outbox[1].body


def test_the_reset_link_sets_a_password_and_refuses_weak_ones(cast):
    client = Client()
    client.post("/accounts/password/reset/", {"email": "rep@acme.example"})
    link = next(line for line in mail.outbox[0].body.splitlines() if "/reset/key/" in line)
    form_url = client.get(link, follow=True).request["PATH_INFO"]
    for weak in ("short-one", "password1234", "rep@acme.example"):
        refused = client.post(form_url, {"password1": weak, "password2": weak})
        assert refused.status_code == 200
        assert refused.context["form"].errors
    client.post(form_url, {"password1": "a-better-passphrase", "password2": "a-better-passphrase"})
    assert User.objects.get(email="rep@acme.example").check_password("a-better-passphrase")


def test_nobody_signs_up_without_an_invitation(db):
    client = Client()
    page = client.post("/accounts/signup/", {"email": "new@example.com", "password1": PASSWORD})
    assert "invitation" in page.content.decode()
    assert not User.objects.exists()


def test_the_admin_has_no_sign_in_of_its_own(cast, sign_in):
    response = Client().get("/admin/login/?next=/admin/")
    assert (response.status_code, response.url) == (302, "/accounts/login/?next=/admin/")
    assert sign_in("manager").get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/email/",
        "/accounts/2fa/recovery-codes/generate/",
    ],
)
def test_sensitive_changes_ask_for_the_password_again(cast, url):
    client = Client()
    client.force_login(cast.rep.user)
    response = client.get(url)
    if response.status_code == 200:
        response = client.post(url, {"email": "other@acme.example", "action_add": ""})
    assert response.status_code == 302
    assert response.url.startswith(("/accounts/reauthenticate/", "/accounts/2fa/"))


def test_people_see_their_sessions_and_end_the_others(cast):
    here, there = Client(), Client()
    attempt("rep@acme.example", PASSWORD, here)
    attempt("rep@acme.example", PASSWORD, there, address="198.51.100.7")
    page = here.get("/accounts/sessions/").content.decode()
    assert "198.51.100.7" in page
    here.post("/accounts/sessions/")
    assert here.get("/settings/profile/").status_code == 200
    assert there.get("/settings/profile/").url.startswith(LOGIN)


def test_signing_out_answers_with_the_form_and_ends_the_session(sign_in):
    client = sign_in("rep")
    assert client.post("/accounts/logout/").url == LOGIN
    assert client.get("/settings/profile/").status_code == 302
