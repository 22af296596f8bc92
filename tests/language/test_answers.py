"""Responses of forms, verbs and commands in a pseudo-language: toasts, refusals, validation messages."""

import json
import re

import pytest

from tests.language.pseudo import CODE, WORD, untranslated, words_of_data
from tests.security.calls import HTMX, taken_back
from tests.security.matrix import MATRIX, url
from tests.security.world import OWN

pytestmark = pytest.mark.once
FORMS = sorted(name for name, route in MATRIX.items() if route.post is not None and not name.startswith("admin:"))
NAMES = re.compile(r'<(?:input|select|textarea)\b[^>]*\bname="([^"]+)"')


def bodies(client, route, address, own):
    """Yield bodies to post: valid, empty, and invalid in every field of its page."""
    accepted = route.data(own)
    fields = set(NAMES.findall(page(client.get(address)))) - {"csrfmiddlewaretoken"}
    yield accepted
    yield {}
    yield dict.fromkeys({*fields, *accepted}, OWN)
    yield {key: OWN * 2000 for key in {*fields, *accepted}}


def page(response) -> str:
    """Return a page's text; '' for a file."""
    return "" if response.streaming or "html" not in response.get("Content-Type", "html") else response.content.decode()


def shown(response) -> str:
    """Return the page, or htmx's toast."""
    toasts = [text["text"] for text in json.loads(response.get("HX-Trigger", "{}")).values() if "text" in text]
    return page(response) + "".join(f"<p>{text}</p>" for text in toasts)


@pytest.mark.parametrize("who", ["viewer", "admin"])
def test_no_form_answers_with_a_text_that_cannot_be_translated(who, world, sign_in, pseudo, subtests):
    data = words_of_data()
    for name in FORMS:
        route = MATRIX[name]
        address = url(name, route.args(world.own) if route.args else ())
        for number, body in enumerate(bodies(sign_in(who), route, address, world.own)):
            for headers in ({}, HTMX):
                with subtests.test(name, body=number, htmx=bool(headers)), taken_back():
                    client = sign_in(who)
                    client.defaults["HTTP_ACCEPT_LANGUAGE"] = CODE
                    response = client.post(address, body, headers=headers, follow=True)
                    typed = set(WORD.findall(repr(body)))
                    assert not untranslated(shown(response), data | typed | words_of_data())
