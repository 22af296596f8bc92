"""Rate limits (RELIABILITY S17): far above normal use, and counted per member, not per address."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import make_contact

CALLS = {
    "search": lambda client, **extra: client.get("/search?q=ana", **extra),
    "list": lambda client, **extra: client.get("/contact?view=all&q=ana", **extra),
    "count": lambda client, **extra: client.get("/contact/count?view=all&q=ana", **extra),
    "options": lambda client, **extra: client.get("/contact/options?entity=contact&q=ana", **extra),
    "export": lambda client, **extra: client.get("/contact/export?view=all", **extra),
    "import": lambda client, **extra: client.post(
        "/contact/import", {"file": SimpleUploadedFile("people.csv", b"name\nAna\n")}, **extra
    ),
}


@pytest.fixture
def twice(settings):
    """Allow everything twice in ten minutes."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (2, 600))


@pytest.mark.parametrize("call", CALLS)
def test_what_is_done_too_often_has_to_wait(call, twice, acme, sign_in, time_machine):
    time_machine.move_to("2027-03-01 12:00:05+00:00", tick=False)
    client = sign_in("rep")
    assert all(CALLS[call](client).status_code < 400 for _ in range(2))
    response = CALLS[call](client)
    assert (response.status_code, response["Retry-After"]) == (429, "595")
    assert "limit of 2 requests in 10 minutes" in response.content.decode()
    assert "Try again in 10 minutes." in response.content.decode()
    assert CALLS[call](sign_in("mate")).status_code < 400
    time_machine.move_to("2027-03-01 12:10:00+00:00", tick=False)
    assert CALLS[call](client).status_code < 400


@pytest.mark.parametrize("proxies", [0, 1])
def test_no_header_makes_somebody_else_of_a_member(proxies, twice, acme, sign_in, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    client = sign_in("rep")
    codes = [CALLS["export"](client, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code for n in range(3)]
    assert codes == [200, 200, 429]


def test_pages_that_look_nothing_up_are_not_counted(twice, acme, sign_in):
    contact, client = make_contact("Ana"), sign_in("rep")
    pages = ["/contact?view=all", "/contact?view=all&q=", "/search", "/contact/import", contact.get_absolute_url()]
    assert {client.get(page).status_code for page in pages * 3} == {200}


def test_who_types_without_pause_is_not_held_up(acme, sign_in, settings):
    """A request per letter, at 200 letters a minute."""
    most, seconds = settings.RATE_LIMITS["search"]
    assert most * 60 / seconds > 200
