"""Installations of the product, each with a database of its own on the suite's engine."""

import os
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.db import connection

from tests.kit.commands import ROOT, environment, manage


@dataclass(frozen=True)
class Installation:
    """A data directory and a database of its own."""

    data_dir: Path
    url: str

    @property
    def name(self) -> str:
        return urlsplit(self.url).path.rsplit("/", 1)[-1]

    @property
    def media(self) -> Path:
        return self.data_dir / "media"

    def manage(self, *arguments, **values: str) -> subprocess.CompletedProcess:
        """Run manage.py and wait for it."""
        return manage(self.data_dir, *map(str, arguments), **{"DATABASE_URL": self.url} | values)

    def start(self, *arguments) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=ROOT,
            env=environment(self.data_dir, DATABASE_URL=self.url),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ask(self, sql: str):
        """Return the first value of an SQL statement; its writes are committed."""
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=20)) as database, database:
                row = database.execute(sql).fetchone()
        else:
            with psycopg.connect(self.url) as database:
                cursor = database.execute(sql)
                row = cursor.fetchone() if cursor.description else None
        return row and row[0]

    def tables(self) -> int:
        if self.url.startswith("sqlite"):
            exists = Path(self.url.removeprefix("sqlite:///")).exists()
            return self.ask("SELECT count(*) FROM sqlite_master WHERE type = 'table'") if exists else 0
        return self.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")

    def files(self) -> set[str]:
        """Return the files in the data directory, except those made by every start or open database."""
        made = {"secret_key", "static"} | {f"{self.name}{end}" for end in (".lock", ".waiting", "-wal", "-shm")}
        return {path.name for path in self.data_dir.iterdir()} - made


def empty_installation(data_dir: Path) -> Installation:
    """Return an installation that was never started."""
    data_dir.mkdir()
    if connection.vendor == "sqlite":
        return Installation(data_dir, f"sqlite:///{data_dir}/throughline.sqlite3")
    server = os.environ["DATABASE_URL"]
    name = f"vault_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
    return Installation(data_dir, urlsplit(server)._replace(path=f"/{name}").geturl())
