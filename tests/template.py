"""A migrated, empty template for test databases: migrating takes seconds, copying does not.

Named by a hash of all code that migrating runs: on SQLite a file in var/, on PostgreSQL a database in the tests'
server.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "var" / "test-templates"
MOST = 6  # files kept; older migrations' are deleted
SETTINGS = "tests.template_settings"
AFTER_MIGRATING = ("crm/users/integrity.py", "audit/append_only.py")  # receivers of post_migrate
_open: list[sqlite3.Connection] = []  # an in-memory database lasts as long as a connection


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix) -> None:
    """Create this process's test database from the template."""
    from django.db import connection

    if connection.vendor == "postgresql":
        connection.settings_dict["TEST"]["TEMPLATE"] = _on_postgresql(os.environ["DATABASE_URL"])
        return
    template, create = _on_sqlite(), connection.creation._create_test_db
    connection.creation._create_test_db = lambda *args: _copy(template, create(*args))


def create_database(url: str) -> None:
    """Create and migrate the database of a DATABASE_URL."""
    if url.startswith("sqlite:"):
        shutil.copy(_on_sqlite(), url.removeprefix("sqlite:///"))
        return
    template, name = _on_postgresql(url), urlsplit(url).path.strip("/")
    with psycopg.connect(_maintenance(url), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def _copy(template: Path, name: str) -> str:
    _open.append(sqlite3.connect(name, uri=True))
    sqlite3.connect(template).backup(_open[-1])
    return name


def _on_sqlite() -> Path:
    template = KEPT / f"{_fingerprint()}.sqlite3"
    with _alone():
        if not template.exists():
            new = template.with_suffix(".new")
            new.unlink(missing_ok=True)
            _migrate(f"sqlite:///{new}")
            new.rename(template)
            _forget_old()
    return template


def _forget_old() -> None:
    for old in sorted(KEPT.glob("*.sqlite3"), key=lambda path: path.stat().st_mtime)[:-MOST]:
        old.unlink()


def _on_postgresql(url: str) -> str:
    name = f"template_{_fingerprint()}"
    with _alone(), psycopg.connect(_maintenance(url), autocommit=True) as server:
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", [name]).fetchone():
            server.execute(f"DROP DATABASE IF EXISTS {name}")
            server.execute(f"CREATE DATABASE {name}")
            _migrate(_named(url, name))
            server.execute(f"ALTER DATABASE {name} IS_TEMPLATE true")
    return name


def _maintenance(url: str) -> str:
    return _named(url, "postgres")


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _migrate(url: str) -> None:
    environ = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SETTINGS}
    command = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity=0"]
    subprocess.run(command, env=environ, cwd=ROOT, check=True)
    if url.startswith("sqlite:"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            database.execute("PRAGMA journal_mode = DELETE")  # keeps everything in one file


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in (*sorted(ROOT.glob("**/migrations/*.py")), *(ROOT / name for name in AFTER_MIGRATING)):
        if ".venv" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _alone() -> Iterator[None]:
    """Lock for one process at a time."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
