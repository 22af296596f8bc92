"""Every page in a pseudo-language: all text except data is translated."""

import re

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import Client
from django.utils.translation import override

from crm.kit.actor import Role
from tests.conftest import PASSWORD
from tests.language.pseudo import untranslated, words_of_data
from tests.security.matrix import MATRIX, url

# The admin shows operators column names, as in code.
PAGES = sorted(
    name for name, route in MATRIX.items() if route.get is not None and route.page and not name.startswith("admin:")
)


def test_no_page_shows_a_text_that_cannot_be_translated(world, cast, sign_in, pseudo, subtests):
    clients = {role: sign_in(role.value) for role in (Role.REP, Role.ADMIN)}
    data = words_of_data()
    for name in PAGES:
        route = MATRIX[name]
        client = clients[Role.ADMIN if route.get == Role.ADMIN else Role.REP]
        response = client.get(url(name, route.args(world.own) if route.args else ()))
        if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            with subtests.test(name):
                assert not untranslated(response.content.decode(), data)


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_a_bare_number_is_written_as_code_has_it(language):
    with override(language):
        assert (
            Template('<path d="M{{ x }} {{ y }}">').render(Context({"x": 1234.5, "y": 60})) == '<path d="M1234.5 60">'
        )


TITLE_CASE = re.compile(r"\b[a-z]+ [A-Z][a-z]+|\b(?!Throughline)[A-Z][a-z]+ (?!TOTP)[A-Z][a-z]+")


@pytest.mark.parametrize(
    "name", sorted(name for name in PAGES if name.startswith(("account_", "mfa_", "usersessions_")))
)
def test_pages_of_packages_are_in_sentence_case_too(name, world, sign_in):
    route, client = MATRIX[name], Client() if MATRIX[name].public else sign_in("rep")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get(url(name, route.args(world.own) if route.args else ())).content.decode()
    main = page.partition("<main")[2] or page
    texts = re.findall(r"<(?:h1|h2|label|button|legend|th)\b[^>]*>\s*([^<>]+?)\s*<", main)
    assert not [text for text in texts if TITLE_CASE.search(text)]
