import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backup.installations import Installation, empty_installation


@dataclass(frozen=True)
class Kept:
    """An installation in use, its backup, and the output of `backup --json`."""

    source: Installation
    file: Path
    report: dict


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Kept:
    """Return a backed-up workspace with members, an upload and a session. Read-only for tests."""
    directory = tmp_path_factory.mktemp("kept")
    source = empty_installation(directory / "var")
    people = directory / "people.csv"
    people.write_text(people_csv(60))
    assert source.manage("migrate", "--verbosity", 0).returncode == 0
    account = ("createsuperuser", "--noinput", "--email", "somebody@acme.example")
    assert source.manage(*account, DJANGO_SUPERUSER_PASSWORD="throughline-demo").returncode == 0
    assert source.manage("create_workspace", "acme", "--admin", "somebody@acme.example").returncode == 0
    assert source.manage("import_contacts", people, "--workspace", "acme").returncode == 0
    attached = source.manage("shell", "--verbosity", 0, "--command", ATTACH)
    assert attached.returncode == 0, attached.stderr
    source.ask(f"INSERT INTO django_session VALUES ('{SESSION}', 'data', '2099-01-01')")
    (source.media / "avatars").mkdir(parents=True)
    (source.media / "avatars" / "one.webp").write_bytes(b"a picture")
    file = directory / "kept.tar"
    done = source.manage("backup", file, "--json")
    assert done.returncode == 0, done.stderr
    return Kept(source, file, json.loads(done.stdout.splitlines()[-1]))


ATTACHED = b"%PDF-1.7 a contract"
ATTACH = f"""
from django.core.files.uploadedfile import SimpleUploadedFile
from crm.files.storing import stored
from crm.files.verbs.attach import attach
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.users.models import Workspace
from contacts.models import Contact
workspace = Workspace.objects.get()
with in_workspace(workspace), stored([SimpleUploadedFile("contract.pdf", {ATTACHED!r})]) as files:
    attach(Contact.objects.filter(pk=Contact.objects.earliest("pk").pk), files, by=system(workspace.pk))
"""
SESSION = "the-key-of-a-session"


def people_csv(count: int) -> str:
    return "First name,E-mail\n" + "".join(f"Person {n},person{n}@example.com\n" for n in range(count))


@pytest.fixture
def empty(tmp_path) -> Installation:
    """Return another, empty installation."""
    return empty_installation(tmp_path / "elsewhere")
