"""kill -9 during the real command: written rows are complete, and repeating the file adds the rest."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

from tests.kit.commands import ROOT, environment, manage
from tests.template import create_database

SIZE = {"sqlite": 1500, "postgresql": 21_000}  # rows; a batch has 35 or 10,000
OPEN = "from crm.users.verbs.create_workspace import *; from crm.kit.actor import system; "
WHOLE = {
    "audit_entry": ("entity_id", "event = '{0}.created'", {"contact": 1, "company": 1}),
    "lifecycle_transition": ("record_id", "entity = '{0}' AND from_value = ''", {"contact": 2, "company": 0}),
}
LACKING = """
    SELECT '{table}', r.id FROM contacts_{entity} r LEFT JOIN (
        SELECT {key} AS own, count(*) AS there FROM {table} WHERE workspace_id = {id} AND {condition} GROUP BY {key}
    ) t ON t.own = r.id WHERE r.workspace_id = {id} AND coalesce(t.there, 0) <> {wanted}
"""
PEOPLE = """
    SELECT c.external_id, c.name, c.email, c.lifecycle_stage, c.created_at, c.version, o.name, m.external_id
    FROM contacts_contact c LEFT JOIN contacts_company o ON o.id = c.company_id
    LEFT JOIN contacts_contact m ON m.id = c.manager_id
    WHERE c.workspace_id = {0} ORDER BY c.external_id
"""
COUNTED = {
    "audit_entry": "event",
    "lifecycle_transition": "to_value",
    "contacts_company": "name",
    "lists_importrefusal": "message",
}


class Instance:
    """A database of its own with workspaces acme and clean, accessed by commands and plain SQL."""

    def __init__(self, data_dir, url, connect):
        self.data_dir, self.url, self.connect = data_dir, url, connect
        create_database(url)
        make = "; ".join(f"create_workspace({slug!r}, by=system(0))" for slug in ("acme", "clean"))
        made = manage(data_dir, "shell", "-c", OPEN + make, DATABASE_URL=url)
        assert made.returncode == 0, made.stderr
        self.ids = dict(self.ask("SELECT slug, id FROM users_workspace"))

    def ask(self, sql):
        with self.connect() as session:
            rows = session.execute(sql).fetchall()
        session.close()
        return rows

    def imported(self, path, slug):
        done = manage(self.data_dir, "import_contacts", str(path), "--workspace", slug, DATABASE_URL=self.url)
        assert done.returncode == 0, done.stdout + done.stderr

    def kill_after(self, path, rows):
        """Import into acme, and kill the process when its run has written at least that many rows."""
        command = [sys.executable, "manage.py", "import_contacts", str(path), "--workspace", "acme"]
        env = environment(self.data_dir, DATABASE_URL=self.url)
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
        known = len(self.ask("SELECT id FROM lists_importrun"))
        newest = f"SELECT rows FROM lists_importrun ORDER BY id LIMIT 1 OFFSET {known}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (self.ask(newest) or [(0,)])[0][0] < rows:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    def runs(self):
        """Return acme's runs: (state, rows, created, created + updated + unchanged)."""
        columns = "state, rows, created, created + updated + unchanged"
        return self.ask(f"SELECT {columns} FROM lists_importrun WHERE workspace_id = {self.ids['acme']} ORDER BY id")

    def broken(self):
        """Return acme's contacts and companies with a missing or surplus row."""
        for entity in ("contact", "company"):
            for table, (key, condition, wanted) in WHOLE.items():
                own = {"key": key, "condition": condition.format(entity), "wanted": wanted[entity]}
                yield from self.ask(LACKING.format(entity=entity, table=table, id=self.ids["acme"], **own))

    def counts(self, slug):
        """Return row counts by kind, in every table that an import writes."""
        sql = "SELECT {column}, count(*) FROM {table} WHERE workspace_id = {id} GROUP BY 1 ORDER BY 1"
        return {
            table: [
                row
                for row in self.ask(sql.format(column=column, table=table, id=self.ids[slug]))
                if row[0] != "workspace.created"
            ]
            for table, column in COUNTED.items()
        }

    def people(self, slug):
        return self.ask(PEOPLE.format(self.ids[slug]))


@pytest.fixture
def instance(tmp_path, db):
    if connection.vendor == "sqlite":
        file = tmp_path / "killed.sqlite3"
        yield Instance(tmp_path, f"sqlite:///{file}", lambda: sqlite3.connect(file, timeout=20))
        return
    own = {key: value for key, value in connection.get_connection_params().items() if key in ("host", "port", "user")}
    with psycopg.connect(dbname="postgres", autocommit=True, **own) as server:
        name = f"killed_{os.getpid()}"
        host, port = quote(str(own.get("host", "")), safe=""), own.get("port", "")
        url = f"postgres://{own.get('user', '')}@/{name}?host={host}" + (f"&port={port}" if port else "")
        yield Instance(tmp_path, url, lambda: psycopg.connect(dbname=name, **own))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def write_people(path, size):
    """Write a file in which managers come near the end, so that work remains after the last row."""
    lines = ["External ID,First name,Last name,E-mail,Company,Stage,Created,Manager"]
    lines += [
        f"x-{n:05d},Ana,Ruiz {n},a{n}@x.example,Firm {n // 20},{('Lead', 'Customer')[n % 2]},2025-01-02 03:04,"
        f"{f'x-{size - 1 - n % 10:05d}' if n < 100 else ''}"
        for n in range(size)
    ]
    path.write_text("\n".join(lines))


def test_a_killed_import_leaves_whole_rows_and_the_file_again_brings_the_rest(instance, tmp_path):
    path, size = tmp_path / "people.csv", SIZE[connection.vendor]
    write_people(path, size)
    instance.imported(path, "clean")
    for share in (1, size // 2):
        instance.kill_after(path, share)
        state, rows, _, done = instance.runs()[-1]
        assert state == "running"  # it could not record more; see ImportRun.present_state
        assert done == rows < size
        assert len(instance.people("acme")) == sum(created for _, _, created, _ in instance.runs())
        assert list(instance.broken()) == []
    there = len(instance.people("acme"))
    instance.imported(path, "acme")
    assert instance.runs()[-1] == ("done", size, size - there, size)
    assert list(instance.broken()) == []
    assert instance.people("acme") == instance.people("clean")
    assert instance.counts("acme") == instance.counts("clean")
