"""The whole sign-in in a browser, and what its pages look like."""

import pytest
from playwright.sync_api import expect

from crm.kit.actor import Role
from crm.kit.scope import in_workspace
from crm.users.verbs.invite import invite
from tests.browser import inspect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("javascript", [True, False])
def test_an_invited_person_joins_signs_out_and_signs_in_again(javascript, visit, own, issuer, cast, actor):
    with in_workspace(cast.acme):
        link = invite("ann@acme.example", role=Role.REP, site="", by=actor("admin")).link
    page = visit(link, javascript=javascript)
    page.get_by_role("button", name="Continue with Okta").click()
    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    page.goto("/settings/security/")
    expect(page.get_by_text("You signed in with your workspace’s provider")).to_be_visible()
    page.goto("/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/?next=/settings/security/")
    page.get_by_role("button", name="Continue with Okta").click()
    expect(page.get_by_role("heading", name="Security")).to_be_visible()


def test_the_pages_around_the_provider(visit, own, shared, issuer, cast):
    issuer.person |= {"email": "rep@acme.example"}
    page = visit(f"/accounts/oidc/{own}/login/", expected="403|502")
    inspect(page, "oidc-sign-in")
    page.goto("/accounts/login/")
    inspect(page, "oidc-sign-in-page")
    page.goto(f"/accounts/oidc/{own}/login/callback/?state=x&code=y")
    inspect(page, "oidc-problem")
    page.goto(f"/accounts/oidc/{own}/login/")
    page.get_by_role("button", name="Continue with Okta").click()
    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    page.goto("/accounts/2fa/totp/activate/")
    inspect(page, "oidc-confirm")
    page.get_by_role("button", name="Continue with Okta").click()
    expect(page.get_by_role("heading", name="authenticator")).to_be_visible()


def test_the_pages_of_members_where_passwords_are_off(visit, use, issuer, cast, actor, sign_in):
    use(domains=["acme.example"], join_role="rep", require_provider=True)
    with in_workspace(cast.acme):
        link = invite("ann@acme.example", role=Role.REP, site="", by=actor("admin")).link
    page = visit(link, expected="403")
    inspect(page, "oidc-invitation")
    member = visit("/", client=sign_in("rep"), expected="403")
    inspect(member, "oidc-required")
    member.goto("/accounts/linked/")
    inspect(member, "oidc-linked")
    admin = visit("/settings/sign-in/", client=sign_in("admin"))
    inspect(admin, "oidc-settings")
    admin.get_by_role("button", name="Test connection").click()
    expect(admin.get_by_role("status").filter(has_text="can be reached")).to_be_visible()
