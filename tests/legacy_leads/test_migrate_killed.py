"""kill -9 during the real command: after resuming, the tables match a clean run's (RELIABILITY R28)."""

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest
from django.apps import apps
from django.db import connection

from crm.legacy_leads.models import LegacyVisit
from crm.legacy_leads.moving.alone import BUSY, KIND
from tests.contacts.test_import_killed import Instance
from tests.kit.commands import ROOT, environment, manage

SIZE = {"sqlite": 600, "postgresql": 6_000}  # leads
BATCH = {"sqlite": 30, "postgresql": 300}
HEADER = "external_id,name,email,company_name,source,description,status,estimated_value,currency,contact,created_at"

# Every table written by the migration, by columns that identify a row independently of keys.
TABLES = {
    "contacts": """
        SELECT name, email, notes, lifecycle_stage, source, created_at, version FROM contacts_contact WHERE {own}""",
    "companies": "SELECT name FROM contacts_company WHERE {own}",
    "cycles": """
        SELECT c.name, c.email, l.external_id, l.status, l.source, l.description, l.estimated_value, l.currency,
            l.created_at FROM leads_lead l JOIN contacts_contact c ON c.id = l.contact_id WHERE l.{own}""",
    "opportunities": """
        SELECT c.name, o.name, o.stage, o.amount, o.currency FROM opportunities_opportunity o
        JOIN contacts_contact c ON c.id = o.contact_id WHERE o.{own}""",
    "old leads": """
        SELECT l.external_id, l.outcome, l.outcome_note, l.value_note, l.archived_at IS NULL, l.version, c.name, o.name
        FROM leads_legacylead l LEFT JOIN contacts_contact c ON c.id = l.became_contact_id
        LEFT JOIN opportunities_opportunity o ON o.id = l.became_opportunity_id WHERE l.{own}""",
    "entries": """
        SELECT event, action, channel, count(*) FROM audit_entry WHERE {own} AND entity <> 'workspace'
        GROUP BY 1, 2, 3""",
    "transitions": """
        SELECT entity, axis, from_value, to_value, verb, count(*) FROM lifecycle_transition WHERE {own}
        GROUP BY 1, 2, 3, 4, 5""",
    "mapping": """
        SELECT m.name, c.name FROM leads_movedlead m JOIN contacts_contact c ON c.id = m.contact_id WHERE m.{own}""",
    "run": """
        SELECT state, leads, created, reused, "left", refused, opportunities, amount_in, amount_opportunities,
            amount_listed FROM leads_migrationrun WHERE {own}""",
}


def hashes(instance: Instance, slug: str) -> dict[str, str]:
    own = f"workspace_id = {instance.ids[slug]}"
    found = {name: sorted(map(repr, instance.ask(sql.format(own=own)))) for name, sql in TABLES.items()}
    assert all(found.values()), "a table without rows proves nothing"
    return {name: hashlib.sha256("\n".join(rows).encode()).hexdigest() for name, rows in found.items()}


def whole(instance: Instance) -> dict[str, str]:
    """Return all tables and columns of the database, without reads of legacy leads, which runs cause."""
    tables = [model._meta.db_table for model in apps.get_models() if model is not LegacyVisit]
    found = {table: sorted(map(repr, instance.ask(f'SELECT * FROM "{table}"'))) for table in tables}
    return {table: hashlib.sha256("\n".join(rows).encode()).hexdigest() for table, rows in found.items()}


def write_files(tmp_path, size: int) -> list[tuple[str, str]]:
    """Write existing contacts, and legacy leads: linked, with equal email or company, and closed."""
    people, leads = ["External ID,Name,E-mail,Created"], [HEADER]
    people += [f"c-{n},Person {n},p{n}@x.example,2025-01-01" for n in range(size // 4)]
    for n in range(size):
        linked = f"c-{n % (size // 4)}" if n % 3 == 0 else ""
        mail = f"m{n // 2}@x.example" if n % 3 else ""
        status = ("new", "working", "qualified", "lost", "converted")[n % 5]
        told = f"l-{n},Lead {n},{mail},Firm {n // 9},Fair,Text {n},{status},{n % 7}.50,{('EUR', 'USD')[n % 2]},{linked}"
        leads.append(f"{told},2025-01-02 {n % 24:02}:{n % 60:02}")
    for name, lines in (("people", people), ("leads", leads)):
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    return [("import_contacts", "people"), ("import_legacy_leads", "leads")]


def prepare(instance: Instance, tmp_path, size: int, *slugs: str) -> None:
    for command, name in write_files(tmp_path, size):
        for slug in slugs:
            file = str(tmp_path / f"{name}.csv")
            done = manage(instance.data_dir, command, file, "--workspace", slug, DATABASE_URL=instance.url)
            assert done.returncode == 0, done.stdout + done.stderr


def migrate(instance: Instance, slug: str, *arguments: str) -> subprocess.CompletedProcess:
    command = ("migrate_leads", "--workspace", slug, *arguments)
    return manage(instance.data_dir, *command, DATABASE_URL=instance.url)


def kill_after(instance: Instance, slug: str, leads: int, *arguments: str) -> None:
    """Migrate, and kill the process when its run has processed that many leads."""
    command = [sys.executable, "manage.py", "migrate_leads", "--workspace", slug, *arguments]
    env = environment(instance.data_dir, DATABASE_URL=instance.url)
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    far = f"SELECT leads FROM leads_migrationrun WHERE workspace_id = {instance.ids[slug]}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (instance.ask(far) or [(0,)])[0][0] < leads:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_a_migration_that_is_killed_again_and_again_ends_as_one_clean_run(instance, tmp_path):
    size, batch = SIZE[connection.vendor], ("--batch-size", str(BATCH[connection.vendor]))
    prepare(instance, tmp_path, size, "clean", "acme")
    assert migrate(instance, "clean", "--commit", *batch).returncode == 0
    for percent in (10, 40, 90):
        kill_after(instance, "acme", size * percent // 100, "--commit", *batch)
        [(state, done)] = instance.ask(
            f"SELECT state, leads FROM leads_migrationrun WHERE workspace_id = {instance.ids['acme']}"
        )
        assert state == "running" and size * percent // 100 <= done < size
    again = migrate(instance, "acme", "--commit", *batch)
    assert again.returncode == 0, again.stdout + again.stderr
    assert hashes(instance, "acme") == hashes(instance, "clean")
    before = whole(instance)
    assert migrate(instance, "acme", "--commit", *batch).returncode == 0
    assert whole(instance) == before


def test_of_two_at_once_the_second_refuses(instance, tmp_path):
    prepare(instance, tmp_path, 8, "acme")
    session = instance.connect()
    if connection.vendor == "sqlite":
        path = tmp_path / f"killed.sqlite3.migrate_leads-{instance.ids['acme']}.lock"
        lock = path.open("a")
        fcntl.flock(lock, fcntl.LOCK_EX)
    else:
        session.execute("SELECT pg_advisory_lock(%s, %s)", [KIND, instance.ids["acme"]])
    for arguments in ("--commit", "--undo"):
        refused = migrate(instance, "acme", arguments)
        assert (refused.returncode, str(BUSY) in refused.stderr) == (1, True)
    assert instance.ask("SELECT count(*) FROM leads_migrationrun") == [(0,)]
    session.close()
    if connection.vendor == "sqlite":
        lock.close()
    assert migrate(instance, "acme", "--commit").returncode == 0


@pytest.mark.postgres
def test_two_processes_that_start_together_migrate_once(instance, tmp_path):
    prepare(instance, tmp_path, 1_500, "acme", "clean")
    command = [sys.executable, "manage.py", "migrate_leads", "--workspace", "acme", "--commit", "--batch-size", "100"]
    env = environment(instance.data_dir, DATABASE_URL=instance.url)
    pair = [subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ends = [(process.communicate()[1], process.returncode) for process in pair]
    assert sorted(code for _, code in ends) in ([0, 1], [0, 0])  # the second may start after the first ended
    assert all(code == 0 or str(BUSY) in told for told, code in ends)
    assert migrate(instance, "clean", "--commit", "--batch-size", "100").returncode == 0
    assert hashes(instance, "acme") == hashes(instance, "clean")
