"""The texts of the sign-in package speak as ours do."""

import re
from pathlib import Path

import allauth
import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation import gettext, override

from crm.settings import BASE
from tests.language.test_catalogs import PLACEHOLDER, texts

pytestmark = pytest.mark.once
OWN = BASE / "crm/locale_of_allauth"
FORMAL = {
    "de": re.compile(r"\b(Sie|Ihr|Ihre[mnrs]?|Ihnen)\b"),
    "es": re.compile(r"\b([Uu]sted|[Ii]ngrese|[Ii]ntroduzca)\b"),
}


@pytest.mark.parametrize("language", sorted(path.name for path in OWN.iterdir()))
def test_what_is_overridden_keeps_its_placeholders(language):
    with (OWN / language / "LC_MESSAGES/django.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    for message in messages:
        known = [sorted(PLACEHOLDER.findall(source)) for source in texts(message.id)]
        assert all(sorted(PLACEHOLDER.findall(text)) in known for text in texts(message.string)), message.id


@pytest.mark.parametrize("language", FORMAL)
def test_nobody_is_addressed_formally(language):
    path = Path(allauth.__file__).parent / "locale" / language / "LC_MESSAGES/django.mo"
    with path.open("rb") as file:
        known = [texts(message.id)[0] for message in read_mo(file) if message.id and not message.context]
    with override(language):
        assert not [text for text in known if FORMAL[language].search(gettext(text))]
