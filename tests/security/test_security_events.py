"""Security events have entries in the audit log, without secrets (S18)."""

import logging
import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP, hotp_value
from django.test import Client

from audit.models import Entry
from crm.kit.scope import in_workspace
from crm.users.models import Membership, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.once

SECRET = "JBSWY3DPEHPK3PXP"
NEW_PASSWORD = "a-better-passphrase"
SECRETS = (PASSWORD, NEW_PASSWORD, SECRET, "wrong-password-x", "pbkdf2", "md5$", "sessionid", "csrf")


def code() -> str:
    return f"{hotp_value(SECRET, int(time.time()) // 30):06d}"


def post(client: Client, url: str, **data):
    return client.post(url, data)


def enter(client: Client, who: str = "rep", password: str = PASSWORD):
    return post(client, "/accounts/login/", login=f"{who}@acme.example", password=password)


def reenter(client: Client) -> None:
    enter(client)
    post(client, "/accounts/reauthenticate/", password=PASSWORD)


def add_factor(client: Client, cast) -> None:
    reenter(client)
    client.get("/accounts/2fa/totp/activate/")
    session = client.session
    session["mfa.totp.secret"] = SECRET
    session.save()
    post(client, "/accounts/2fa/totp/activate/", code=code())


def wrong_code(client: Client, cast) -> None:
    TOTP.activate(cast.rep.user, SECRET)
    enter(client)
    post(client, "/accounts/2fa/authenticate/", code="000000")


def remove_factor(client: Client, cast) -> None:
    add_factor(client, cast)
    post(client, "/accounts/2fa/totp/deactivate/")


def new_codes(client: Client, cast) -> None:
    add_factor(client, cast)
    post(client, "/accounts/2fa/recovery-codes/generate/")


def change_password(client: Client, cast) -> None:
    reenter(client)
    new = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post("/accounts/password/change/", new)


def as_admin(url: str, **data):
    def act(client: Client, cast) -> None:
        enter(client, "admin")
        places = {"mate": cast.mate.pk, "nordics": cast.nordics.pk, "iberia": cast.iberia.pk}
        client.post(url.format(**places), {key: str(value).format(**places) for key, value in data.items()})

    return act


def as_rep(method: str, url: str):
    def act(client: Client, cast) -> None:
        enter(client)
        getattr(client, method)(url)

    return act


FIELD = {"label": "Odd", "type": "text", "option-TOTAL_FORMS": 0, "option-INITIAL_FORMS": 0}
GUARD = {
    "entity": "contact",
    "verb": "win",
    "condition": "phone is not empty",
    "message": "Phone, please",
    "position": "0",
}
WORKSPACE = {"name": "Acme", "timezone": "UTC", "language": "en", "currency": "EUR", "require_mfa": "on"}
# event, action, (member named as actor, or None for the system), part of the note
EVENTS = [
    ("user.signed_in", lambda client, cast: enter(client), "rep", ""),
    ("user.sign_in_failed", lambda client, cast: enter(client, password="wrong-password-x"), None, "password"),
    ("user.sign_in_failed", wrong_code, None, "totp"),
    ("user.password_changed", change_password, "rep", ""),
    ("member.denied", as_rep("get", "/settings/people/"), "rep", "GET /settings/people/"),
    ("member.denied", as_rep("post", "/settings/people/invite/"), "rep", "POST /settings/people/invite/"),
    ("workspace.exported", as_rep("get", "/contact/export?columns=email"), "rep", "contact: name, email"),
    ("member.role_changed", as_admin("/settings/people/{mate}/", role="manager", team="{iberia}"), "admin", ""),
    ("member.team_changed", as_admin("/settings/people/{mate}/", role="rep", team="{nordics}"), "admin", ""),
    ("member.deactivated", as_admin("/settings/people/{mate}/deactivate/"), "admin", ""),
    ("invitation.sent", as_admin("/settings/people/invite/", email="new@x.example", role="rep"), "admin", ""),
    ("team.created", as_admin("/settings/teams/", name="South"), "admin", ""),
    ("team.renamed", as_admin("/settings/teams/{iberia}/", name="South"), "admin", ""),
    ("workspace.updated", as_admin("/settings/workspace/", **WORKSPACE), "admin", ""),
    ("guard.created", as_admin("/admin/lifecycle/guard/add/", is_active="on", **GUARD), "admin", ""),
    ("custom_field.created", as_admin("/settings/fields/new/?entity=contact", **FIELD), "admin", ""),
    (
        "member.role_changed",
        as_admin("/admin/users/membership/{mate}/change/", role="manager", is_active="on"),
        "admin",
        "",
    ),
]


@pytest.mark.parametrize(
    ("event", "do", "who", "note"), EVENTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_it_leaves_one_entry_without_secrets(event, do, who, note, cast):
    assert_told(event, do, who, note, cast)


# Recorded after the request's transaction.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("event", "do", "note"),
    [
        ("user.factor_added", add_factor, "totp"),
        ("user.factor_removed", remove_factor, "totp"),
        ("user.factor_reset", new_codes, "recovery_codes"),
    ],
    ids=["added", "removed", "reset"],
)
def test_changes_of_second_factors_leave_one_too(event, do, note, transactional_db, cast):
    assert_told(event, do, "rep", note, cast)


def assert_told(event, do, who, note, cast) -> None:
    do(Client(), cast)
    with in_workspace(cast.acme):
        entry = Entry.objects.filter(event=event, note__contains=note) if note else Entry.objects.filter(event=event)
        entry = entry.get()
        assert entry.member_id == (getattr(cast, who).pk if who else None)
        told = " ".join(str(vars(each)) for each in Entry.objects.all())
    assert not [secret for secret in SECRETS if secret in told]
    assert not told_elsewhere(cast)


def told_elsewhere(cast) -> list:
    """Return entries in an unrelated workspace."""
    with in_workspace(cast.globex):
        return list(Entry.objects.all())


def test_a_failed_sign_in_to_no_account_is_a_line_of_the_log_without_the_address(cast, caplog):
    caplog.set_level(logging.INFO)
    enter(Client(), "nobody")
    assert not Entry.objects.unscoped().exists()
    assert "Failed sign-in to an account that is not there." in caplog.text
    assert "nobody@acme.example" not in caplog.text


def test_it_is_told_to_the_workspace_that_the_person_has_open(cast, caplog):
    with in_workspace(cast.globex):
        theirs = Membership.objects.create(user=cast.rep.user, role="rep")
        User.objects.filter(pk=cast.rep.user_id).update(membership=theirs)
        enter(Client())
        assert Entry.objects.get().event == "user.signed_in"
    with in_workspace(cast.acme):
        assert not Entry.objects.exists()
        Membership.objects.filter(pk=cast.rep.pk).update(is_active=False)
    with in_workspace(cast.globex):
        Membership.objects.filter(pk=theirs.pk).update(is_active=False)
    enter(Client(), password="wrong-password-x")
    assert "not there" in caplog.text  # no longer in any workspace


def test_what_is_merely_not_there_is_no_refusal(cast, sign_in):
    assert sign_in("rep").get("/contact/contact_000000000").status_code == 404
    with in_workspace(cast.acme):
        assert not Entry.objects.filter(event="member.denied").exists()


def test_a_refusal_names_the_route_and_not_what_was_typed(cast, sign_in):
    sign_in("rep").get("/settings/people/4711/?q=canary")
    with in_workspace(cast.acme):
        entry = Entry.objects.get(event="member.denied")
    assert entry.note == "GET /settings/people/<int:pk>/"
    assert (entry.severity, entry.category) == ("warning", "security")
