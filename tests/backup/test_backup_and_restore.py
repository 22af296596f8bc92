"""R26: a backup is consistent, made during use, and restores the same installation elsewhere."""

import json
import os
import signal
import sqlite3
import stat
import time
from contextlib import closing

import psycopg
import pytest

from crm.backup import archive
from tests.backup.conftest import ATTACHED, SESSION, people_csv
from tests.kit.commands import get, manage, up
from tests.services import free_port


def restored(installation, file, *arguments) -> dict:
    done = installation.manage("restore", file, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def refused(installation, file, *arguments, status: int = 1, **values) -> str:
    """Return restore's one-line refusal; nothing has changed."""
    before = installation.tables(), installation.files()
    done = installation.manage("restore", file, *arguments, **values)
    assert done.returncode == status, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (installation.tables(), installation.files()) == before
    return done.stderr


def test_a_backup_is_restored_elsewhere_and_serves(kept, empty):
    report = restored(empty, kept.file)
    assert (report["rows"], report["files"]) == (kept.report["rows"], 2)
    assert report["audit"]["acme"]["ok"] is True
    assert report["audit"]["acme"]["head"] == kept.report["heads"]["acme"]
    assert report["audit"]["acme"]["sealed"] == empty.ask("SELECT count(*) FROM audit_entry") > 60
    assert empty.ask("SELECT count(*) FROM contacts_contact") == 60
    assert (empty.media / "avatars" / "one.webp").read_bytes() == b"a picture"
    place = empty.ask("SELECT stored FROM files_attachment WHERE name = 'contract.pdf'")
    assert (empty.media / place).read_bytes() == ATTACHED
    port = free_port()
    with up(empty.data_dir, port, DATABASE_URL=empty.url):
        assert get(port, "/healthz")[0] == 200
        status, page, _ = get(port, "/accounts/login/")
        assert (status, 'name="login"' in page) == (200, True)


def test_what_is_restored_goes_on_where_it_was(kept, empty, tmp_path):
    """Triggers work, ids and chain continue, and it can be backed up again."""
    restored(empty, kept.file)
    with pytest.raises(Exception, match="append-only"):
        empty.ask("DELETE FROM audit_entry")
    more = tmp_path / "more.csv"
    more.write_text("First name,E-mail\nLate,late@example.com\n")
    assert empty.manage("import_contacts", more, "--workspace", "acme").returncode == 0
    assert empty.manage("backup", tmp_path / "again.tar").returncode == 0
    head = kept.report["heads"]["acme"]
    verified = empty.manage("verify_audit", "--workspace", "acme", "--head", head, "--json")
    verdict = json.loads(verified.stdout.splitlines()[-1])
    assert (verified.returncode, verdict["waiting"]) == (0, 0)
    assert verdict["head"] != head


def test_a_backup_under_writes_is_of_one_moment(kept, empty, tmp_path):
    restored(empty, kept.file)
    many, file = tmp_path / "many.csv", tmp_path / "under-load.tar"
    many.write_text(people_csv(100_000))
    writer = empty.start("import_contacts", many, "--workspace", "acme")
    try:
        deadline = time.monotonic() + 60
        while empty.ask("SELECT count(*) FROM contacts_contact") < 100 and time.monotonic() < deadline:
            time.sleep(0.05)
        done = empty.manage("backup", file)
        assert done.returncode == 0, done.stderr
        assert writer.poll() is None, "it wrote all the time"
    finally:
        os.killpg(writer.pid, signal.SIGKILL)
        writer.wait()
    report = restored(empty, file, "--replace", empty.name)
    assert report["audit"]["acme"]["ok"] is True
    contacts = empty.ask("SELECT count(*) FROM contacts_contact")
    assert 60 < contacts < 100_000
    assert empty.ask("SELECT count(*) FROM audit_entry WHERE event = 'contact.created'") == contacts
    entered = "entity = 'contact' AND axis = 'lifecycle_stage' AND from_value = ''"
    assert empty.ask(f"SELECT count(*) FROM lifecycle_transition WHERE {entered}") == contacts


def test_the_file_is_its_owners_alone_and_holds_no_session_and_no_secret(kept, empty):
    assert stat.S_IMODE(kept.file.stat().st_mode) == 0o600
    content = kept.file.read_bytes()
    assert SESSION.encode() not in content
    assert (kept.source.data_dir / "secret_key").read_bytes() not in content
    assert kept.source.ask("SELECT count(*) FROM django_session") == 1
    restored(empty, kept.file)
    assert empty.ask("SELECT count(*) FROM django_session") == 0


@pytest.fixture
def half_way(kept, tmp_path):
    """Return a process in the middle of a backup to backup.tar."""
    large = kept.source.media / "large"
    with large.open("wb") as file:
        file.truncate(1 << 30)  # a sparse gigabyte: copied, but without disk use before
    backup = kept.source.start("backup", tmp_path / "backup.tar")
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".backup.tar.*.partial/archive")) and time.monotonic() < deadline:
        time.sleep(0.01)
    yield backup
    large.unlink()


def test_a_backup_killed_half_way_leaves_what_was_there(half_way, empty, tmp_path):
    (tmp_path / "backup.tar").write_bytes(b"of yesterday")
    os.killpg(half_way.pid, signal.SIGKILL)
    half_way.wait()
    assert (tmp_path / "backup.tar").read_bytes() == b"of yesterday"
    (half,) = tmp_path.glob(".backup.tar.*.partial/archive")
    assert "the file is incomplete" in refused(empty, half)
    half.unlink()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_backup_told_to_stop_cleans_up(number, half_way, tmp_path):
    half_way.send_signal(number)
    assert half_way.wait(60) == 128 + number
    assert not list(tmp_path.glob("*.tar*")) + list(tmp_path.glob(".backup*"))


def test_what_is_there_is_lost_only_by_name(kept, empty, tmp_path):
    restored(empty, kept.file)
    empty.ask("UPDATE contacts_contact SET title = 'Changed since'")
    (empty.media / "avatars" / "two.webp").write_bytes(b"since")
    assert f"add --replace {empty.name}" in refused(empty, kept.file)
    assert f"is named {empty.name}, not other" in refused(empty, kept.file, "--replace", "other")
    restored(empty, kept.file, "--replace", empty.name)
    assert empty.ask("SELECT count(*) FROM contacts_contact WHERE title = 'Changed since'") == 0
    assert [path.name for path in (empty.media / "avatars").iterdir()] == ["one.webp"]


def test_uploads_are_not_lost_unasked_either(kept, empty):
    empty.media.mkdir()
    (empty.media / "mine.webp").write_bytes(b"mine")
    assert "There are uploaded files here." in refused(empty, kept.file)


@pytest.mark.once
def test_a_database_that_cannot_be_used_is_one_line(tmp_path):
    (tmp_path / "throughline.sqlite3").write_bytes(b"not what it was " * 1000)
    nowhere = {"DATABASE_URL": f"postgres://nobody@127.0.0.1:{free_port()}/crm"}
    for values in ({}, nowhere):
        done = manage(tmp_path, "backup", str(tmp_path / "x.tar"), **values)
        assert done.returncode == 1
        assert done.stderr.startswith("CommandError: Can’t use the database: ")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.once
def test_nothing_is_replaced_under_a_running_instance(kept):
    with up(kept.source.data_dir, free_port(), DATABASE_URL=kept.source.url):
        assert "already running on" in refused(kept.source, kept.file, "--replace", kept.source.name)


@pytest.mark.postgres
def test_nothing_is_replaced_while_others_are_connected(kept):
    with psycopg.connect(kept.source.url):
        assert "Other programs use the database" in refused(kept.source, kept.file, "--replace", kept.source.name)


def test_a_damaged_file_is_refused_and_nothing_is_left_of_it(kept, empty, tmp_path):
    damaged = tmp_path / "damaged.tar"
    content = kept.file.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    assert "the file is incomplete" in refused(empty, damaged)
    middle = len(content) // 2
    damaged.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    assert "was altered or is damaged" in refused(empty, damaged)


def test_a_copy_that_lacks_rows_takes_no_place(kept, empty, tmp_path):
    manifest, directory = archive.read_manifest(kept.file), tmp_path / "unpacked"
    archive.unpack(kept.file, manifest, lambda name: directory / name)
    manifest["rows"]["contacts_contact"] += 1
    archive.write(tmp_path / "less.tar", [(name, directory / name) for name in manifest.pop("files")], manifest)
    assert "able contacts_contact doesn" in refused(empty, tmp_path / "less.tar")


def test_a_broken_chain_comes_back_as_it_was_and_is_told(kept, empty, tmp_path):
    restored(empty, kept.file)
    on = "" if empty.url.startswith("sqlite") else " ON audit_entry"
    empty.ask(f"DROP TRIGGER audit_no_update{on}")
    entry = empty.ask("SELECT min(id) + 7 FROM audit_entry")
    empty.ask(f"UPDATE audit_entry SET severity = 'none' WHERE id = {entry}")
    assert empty.manage("backup", tmp_path / "broken.tar").returncode == 0
    done = empty.manage("restore", tmp_path / "broken.tar", "--replace", empty.name)
    assert done.returncode == 1
    assert f"Audit log of acme: Entry {entry} was altered" in done.stdout
    assert empty.ask("SELECT count(*) FROM contacts_contact") == 60


@pytest.mark.parametrize("target", ["no/such/directory/x.tar", ".", "var/media/x.tar"])
def test_a_backup_to_nowhere_is_wrong_usage(target, kept):
    done = kept.source.manage("backup", kept.file.parent / target)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_what_is_no_file_is_wrong_usage(empty, tmp_path):
    assert "not found" in refused(empty, tmp_path / "none.tar", status=2)


def test_an_empty_database_is_nothing_to_back_up(empty, tmp_path):
    done = empty.manage("backup", tmp_path / "x.tar")
    assert (done.returncode, "The database is empty" in done.stderr) == (1, True)
    assert not list(tmp_path.glob("*.tar")) + list(tmp_path.glob(".x*"))


@pytest.mark.postgres
def test_postgresqls_programs_are_asked_for(kept, empty, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    assert "pg_restore isn’t on the PATH" in refused(empty, kept.file, PATH=str(programs))
    old = programs / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    old.chmod(0o755)
    done = kept.source.manage("backup", tmp_path / "x.tar", PATH=f"{programs}:/bin")
    assert (done.returncode, "is older than the server" in done.stderr) == (1, True)


@pytest.mark.once
def test_a_file_that_another_command_has_open_is_not_replaced(kept):
    with closing(sqlite3.connect(kept.source.data_dir / kept.source.name)) as other:
        other.execute("SELECT count(*) FROM contacts_contact").fetchone()
        done = kept.source.manage("restore", kept.file, "--replace", kept.source.name)
    assert (done.returncode, "Another command is using" in done.stderr) == (1, True)
