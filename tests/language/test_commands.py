"""Commands' output and errors in a pseudo-language."""

import errno
import io
import os
from contextlib import suppress

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.translation import override

from tests.installed import legacy_leads
from tests.language.pseudo import CODE, WORD, outside, words_of_data

pytestmark = pytest.mark.once
ACME = ("--workspace", "acme")
FILES = {
    "people.csv": "name,email,lifecycle_stage\nAnn Ruiz,ann@x.example,Lead\n,broken,Sorcerer\n",
    "deals.csv": "name,contact,amount,stage\nVans,ownmark@person.example,many,Prospecting\nPilot,nobody,1,Won\n",
    "events.csv": "email,kind,occurred_at\nownmark@person.example,email_opened,2026-01-01\nx,y,z\n",
    "leads.csv": "name,status,estimated_value\nOld,Sorcerer,many\n,new,1\n",
    "empty.csv": "",
}
CALLS = [
    ("import_contacts", "people.csv", *ACME),
    ("import_contacts", "people.csv", *ACME, "--dry-run"),
    ("import_contacts", "empty.csv", *ACME),
    ("import_contacts", "missing.csv", *ACME),
    ("import_contacts", "people.csv", "--workspace", "nowhere"),
    ("import_contacts", "people.csv", *ACME, "--user", "nobody@acme.example"),
    ("import_contacts", "people.csv", *ACME, "--user", "viewer@acme.example"),
    ("import_opportunities", "deals.csv", *ACME),
    ("import_events", "events.csv", *ACME),
    ("export_contacts", *ACME, "--where", "stage = ", "--output", "out.csv"),
    ("export_contacts", *ACME, "--columns", "nonsense", "--output", "out.csv"),
    ("recalculate_scores", *ACME),
    ("verify_audit", *ACME),
    ("verify_audit", *ACME, "--head", "short"),
    ("create_workspace", "acme", "--admin", "no-address"),
    ("remove_second_factors", "nobody@acme.example"),
    ("remove_second_factors", "mate@acme.example"),
    ("outbox", "status"),
    ("outbox", "retry"),
    ("restore", "missing.backup"),
]
CALLS_ABOUT_LEGACY_LEADS = [
    ("import_legacy_leads", "leads.csv", *ACME),
    ("export_legacy_leads", "out.csv", *ACME),
    ("migrate_leads", *ACME, "--undo"),
    ("migrate_leads", *ACME, "--status"),
    ("migrate_leads", *ACME),
    ("drop_legacy_leads", *ACME),
    ("drop_legacy_leads", *ACME, "--confirm"),
]


def said_by(arguments) -> str:
    """Return a command's output and final message."""
    out, error = io.StringIO(), io.StringIO()
    sentence = ""
    try:
        with suppress(SystemExit):
            call_command(*arguments, stdout=out, stderr=error)
    except CommandError as refusal:
        sentence = str(refusal)
    return "\n".join((out.getvalue(), error.getvalue(), sentence))


@pytest.mark.parametrize("arguments", [*CALLS, *(CALLS_ABOUT_LEGACY_LEADS if legacy_leads else ())], ids=" ".join)
def test_a_command_says_nothing_that_cannot_be_translated(arguments, world, pseudo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with override(CODE):
        said = said_by(arguments)
    data = {*words_of_data(), *WORD.findall(os.strerror(errno.ENOENT))} | set(
        WORD.findall(" ".join([*FILES, *FILES.values(), *arguments]))
    )
    assert said.strip()
    assert not [line for line in outside(said)[0].splitlines() if set(WORD.findall(line)) - data]
