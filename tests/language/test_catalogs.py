"""Catalogs keep the texts' placeholders; those of offered languages are complete and compiled."""

import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "crm/locale"
LANGUAGES = sorted(path.name for path in LOCALE.iterdir() if path.is_dir())
OFFERED = {code for code, _ in settings.LANGUAGES}
PLACEHOLDER = re.compile(r"{\w*}|%\(\w+\)s|%%|<[^>]+>")


def catalog(language: str):
    with (LOCALE / language / "LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file, locale=language)


def texts(value) -> tuple[str, ...]:
    return value if isinstance(value, tuple | list) else (value,)


def test_a_language_that_is_offered_lacks_nothing():
    assert set(LANGUAGES) >= OFFERED - {"en"}
    for language in OFFERED - {"en"}:
        messages = [message for message in catalog(language) if message.id]
        assert not [message.id for message in messages if message.fuzzy or not all(texts(message.string))]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_placeholders_of_a_text_are_in_its_translation(language):
    wrong = []
    for message in catalog(language):
        for number, text in enumerate(texts(message.string) if message.id and message.string else ()):
            if not text:
                continue
            known = [sorted(PLACEHOLDER.findall(source)) for source in texts(message.id)]
            # The singular may spell out "one"; other forms match the plural.
            if sorted(PLACEHOLDER.findall(text)) not in (known if number == 0 else known[-1:]):
                wrong.append((message.id, text))
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_is_not_that_of_another_text(language):
    """A word doesn't become a sentence: once “Save” had the text of its neighbor in the file."""
    pairs = [(texts(message.id)[0], texts(message.string)[0]) for message in catalog(language) if message.id]
    assert not [(text, other) for text, other in pairs if len(other) > 3 * len(text) + 20]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_is_what_translators_wrote(language):
    if language not in OFFERED:
        return  # not offered yet
    with (LOCALE / language / "LC_MESSAGES/django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in catalog(language):
        if message.id and not message.context and not message.pluralizable:
            assert compiled.gettext(message.id) == message.string


def test_collecting_the_texts_again_changes_nothing(tmp_path):
    if shutil.which("xgettext") is None:
        assert os.environ.get("REQUIRE_ALL") != "1", "GNU gettext is not installed."
        pytest.skip("GNU gettext is not installed.")
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", "var", "__pycache__", "tests", "bench"))
    environment = {"PATH": "/usr/bin:/bin", "DEBUG": "1", "DATA_DIR": str(tmp_path / "data"), "LANG": "C.UTF-8"}
    command = [sys.executable, "manage.py", "makemessages"]
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    for language in LANGUAGES:
        name = f"{language}/LC_MESSAGES/django.po"
        assert (copy / "crm/locale" / name).read_text() == (LOCALE / name).read_text(), f"{name}: run make messages"
