"""The frame in Chromium: accessible, without CSP violations, usable by keyboard and without JavaScript."""

import pytest

from tests.browser import LOOKS, assert_accessible, inspect, screenshot
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
GALLERY = ["list", "record", "dashboard", "board", "forms", "empty"]


def test_the_parts_of_every_page(visit, sign_in):
    page = visit("/", client=sign_in("admin"))
    for name in GALLERY:
        page.goto(f"/gallery/{name}")
        inspect(page, name, looked_into=LOOKS)


def test_the_forms_of_the_admin_keep_to_the_policy(visit, sign_in, cast):
    page = visit(f"/admin/users/membership/{cast.rep.pk}/change/", client=sign_in("admin"))
    page.locator("#id_role").select_option("manager")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()


@pytest.mark.parametrize("path", ["/nothing/", "/refusing/refused", "/broken"])
def test_the_error_pages(path, visit, sign_in):
    client = sign_in("rep")
    page = visit(path, client=client, expected="the server responded with a status of")
    screenshot(page, f"error-{path.strip('/').replace('/', '-')}")
    assert_accessible(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_signing_in_and_out(javascript, visit, cast):
    page = visit("/settings/profile/", javascript=javascript)
    page.get_by_label("Email").fill("rep@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/settings/profile/")
    page.locator(".account summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")


@pytest.mark.parametrize("javascript", [True, False])
def test_the_drawer_of_a_small_screen(javascript, visit, sign_in):
    page = visit("/settings/profile/", width=390, javascript=javascript, client=sign_in("rep"))
    entry = page.locator("#sidebar").get_by_text("Rep", exact=True)
    assert not entry.is_visible()
    page.locator(".burger").click()
    entry.wait_for(state="visible")
    page.mouse.click(380, 400)
    entry.wait_for(state="hidden")


def test_the_theme_changes_at_once_and_stays(visit, sign_in):
    page = visit("/settings/profile/", client=sign_in("rep"))
    page.locator(".account summary").click()
    with page.expect_response("**/settings/theme/"):
        page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_switcher_lists_the_workspaces_when_it_opens(visit, sign_in):
    page = visit("/settings/profile/", client=sign_in("rep"))
    page.locator(".workspace summary").click()
    page.get_by_role("button", name="Acme Mobility").wait_for()


def test_rows_by_keyboard(visit, sign_in):
    page = visit("/gallery/list", client=sign_in("rep"))
    rows = page.locator("tr[data-row]")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert "is-cursor" in rows.nth(2).get_attribute("class")
    page.keyboard.press("x")
    assert page.locator("[data-bulk-count]").inner_text() == "3"
    assert page.locator("#announcer").inner_text() in ("", "3 selected")
    page.keyboard.press("k")
    assert "is-cursor" in rows.nth(1).get_attribute("class")
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.matches('[data-search]')")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()


def test_selecting_all_and_a_range(visit, sign_in):
    page = visit("/gallery/list", client=sign_in("rep"))
    page.locator("[data-select-all]").check()
    assert page.locator("[data-bulk-count]").inner_text() == "9"
    page.locator("[data-select-all]").uncheck()
    assert not page.locator(".bulk").is_visible()
    page.locator("[data-select]").nth(1).check()
    page.locator("[data-select]").nth(5).click(modifiers=["Shift"])
    assert page.locator("[data-bulk-count]").inner_text() == "5"


def test_the_bulk_bar_appears_without_javascript(visit, sign_in):
    page = visit("/gallery/list", javascript=False, client=sign_in("rep"))
    assert page.locator(".bulk").is_visible()
    for row in (0, 1):
        page.locator("[data-select]").nth(row).uncheck()
    assert not page.locator(".bulk").is_visible()


def test_a_refusal_over_htmx_is_a_toast_and_the_page_stays(visit, sign_in):
    page = visit("/gallery/blank", client=sign_in("rep"), expected="409|Response Status Error")
    page.evaluate("htmx.ajax('POST', '/refusing/refused', {target: 'main', swap: 'innerHTML'}).catch(() => {})")
    page.get_by_text("Email required for qualification").wait_for()
    assert page.locator(".toast.is-error").count() == 1


def test_a_passkey_can_be_added_under_the_policy(visit, cast):
    page = visit("/accounts/login/?next=/accounts/2fa/webauthn/add/")
    page.get_by_label("Email").fill("rep@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/reauthenticate/**")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/webauthn/add/")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/accounts/2fa/**")
    page.get_by_text("recovery code").first.wait_for()
    page.goto("/settings/profile/")
    page.locator(".account summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")
    page.goto("/accounts/login/?next=/settings/security/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/settings/security/")
