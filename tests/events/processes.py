"""The product as real processes on a database of its own, with a handler that leaves traces (tests/events/app)."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

from tests.budget import examples
from tests.kit.commands import manage, up
from tests.services import free_port
from tests.template import create_database

SETTINGS = "tests.events.settings"
N = min(500, examples(150))
BROWSERS = 4
TOKEN = "t" * 32


@contextmanager
def own_database(directory: Path) -> Iterator[str]:
    """Yield the URL of a migrated, empty database on the suite's engine."""
    if connection.vendor == "sqlite":
        url = f"sqlite:///{directory}/crm.sqlite3"
        create_database(url)
        yield url
        return
    settings = connection.settings_dict
    name = f"engine_{os.getpid()}_{time.monotonic_ns()}"
    admin = f"postgres://{settings['USER']}@/postgres?host={settings['HOST'] or settings['OPTIONS'].get('host', '')}"
    url = admin.replace("/postgres?", f"/{name}?")
    create_database(url)
    with psycopg.connect(admin, autocommit=True) as server:
        try:
            yield url
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Product:
    """An installation with N contacts for a signed-in manager to lose."""

    def __init__(self, directory: Path, database: str, **environ: str):
        self.directory, self.database = directory, database
        self.environ = environ | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": SETTINGS}
        prepared = self.manage("prepare_effects", str(N))
        assert prepared.returncode == 0, prepared.stderr
        found = json.loads(prepared.stdout)
        self.session, self.left = found["session"], found["paths"]
        self.statuses: list[int] = []

    def manage(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a command of the installation and wait for it."""
        return manage(self.directory, *arguments, **self.environ)

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen]:
        """Run `manage.py up` during the block, on `self.port`."""
        self.port = free_port()
        with (self.directory / "log").open("a") as log, up(self.directory, self.port, log, **self.environ) as server:
            yield server

    def lose_one(self) -> None:
        """Lose one contact and wait for its effect; otherwise a fast machine loses all before workers start."""
        self.statuses.append(self.post(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30), self.left.pop()))
        self.wait_for_effects(1, 60)

    def lose_contacts(self) -> None:
        """Lose the remaining contacts, one request each from several browsers, until the server is gone."""
        people = [threading.Thread(target=self._lose_contacts) for _ in range(BROWSERS)]
        for person in people:
            person.start()
        for person in people:
            person.join()

    def _lose_contacts(self) -> None:
        browser = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with suppress(IndexError):  # none is left
            while path := self.left.pop():
                try:
                    self.statuses.append(self.post(browser, path))
                except (OSError, http.client.HTTPException):
                    self.left.append(path)
                    return

    def post(self, browser: http.client.HTTPConnection, path: str) -> int:
        """Submit a form as the manager; return the status."""
        headers = {
            "Cookie": f"sessionid={self.session}; csrftoken={TOKEN}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        browser.request("POST", path, f"csrfmiddlewaretoken={TOKEN}&reason=budget", headers)
        answer = browser.getresponse()
        answer.read()
        return answer.status

    @contextmanager
    def losing(self) -> Iterator[None]:
        """Lose contacts during the block; at its end the server is gone, or all are lost."""
        person = threading.Thread(target=self.lose_contacts)
        person.start()
        yield
        person.join()

    def events(self) -> int:
        """Return the number of lost contacts."""
        return self.one("SELECT count(DISTINCT entity_id) FROM events_event WHERE name = 'contact.lost'")

    def effects(self) -> tuple[int, int]:
        """Return the numbers of events with an effect, and of effects."""
        return self.row("SELECT count(DISTINCT event), count(*) FROM effects_effect")

    def wait_for_effects(self, number: int, seconds: float) -> None:
        """Wait until that many events have an effect. Raises AssertionError after `seconds` without a new one.

        The rate depends on the machine; a missing one is a loss.
        """
        last, ends = -1, 0.0
        while (found := self.effects()[0]) < number:
            if found > last:
                last, ends = found, time.monotonic() + seconds
            assert time.monotonic() < ends, f"{found} of {number} effects, none for {seconds} s: {self.states()}"
            time.sleep(0.05)

    def states(self) -> list[tuple]:
        return self._rows("SELECT state, last_error, count(*) FROM events_delivery GROUP BY state, last_error")

    def one(self, sql: str) -> Any:
        """Return the first value of a statement."""
        return self.row(sql)[0]

    def row(self, sql: str) -> tuple:
        """Return the first row of a statement."""
        return self._rows(sql)[0]

    def _rows(self, sql: str) -> list[tuple]:
        if self.database.startswith("sqlite"):
            database = sqlite3.connect(self.database.removeprefix("sqlite:///"), timeout=20)
        else:
            database = psycopg.connect(self.database)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()


def kill(server: subprocess.Popen) -> None:
    """Kill the whole process group at once, like a power cut."""
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def alive(group: int) -> bool:
    """Return whether a process of that group is alive, except zombies, which wait for their new parent."""
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return any(int(pgid) == group and not stat.startswith("Z") for pgid, stat in map(str.split, listed.splitlines()))
