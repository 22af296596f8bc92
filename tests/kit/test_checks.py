import pytest
from django.db import connections

from crm.kit import checks, instance

pytestmark = pytest.mark.once


@pytest.fixture
def another_database(monkeypatch):
    """Add a database to the project: another_database(ENGINE=…)."""

    def add(**settings):
        monkeypatch.setitem(connections.databases, "another", {"NAME": "/srv/crm/db.sqlite3", **settings})

    return add


def test_atomic_requests_are_refused_on_sqlite(another_database):
    another_database(ENGINE="crm.kit.sqlite", ATOMIC_REQUESTS=True)
    (error,) = checks.atomic_requests_on_sqlite(None)
    assert error.id == "crm.E001"
    assert "'another'" in error.msg


@pytest.mark.parametrize(
    "database",
    [
        {"ENGINE": "crm.kit.sqlite", "ATOMIC_REQUESTS": False},
        {"ENGINE": "django.db.backends.postgresql", "ATOMIC_REQUESTS": True},
    ],
)
def test_nothing_else_is_refused(another_database, database):
    another_database(**database)
    assert checks.atomic_requests_on_sqlite(None) == []


def test_sqlite_on_a_network_file_system_warns(another_database, monkeypatch, tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text("server:/x /srv nfs4 rw 0 0\n")
    monkeypatch.setattr(instance, "MOUNTS", mounts)
    another_database(ENGINE="crm.kit.sqlite")
    (warning,) = checks.sqlite_on_a_network(None)
    assert warning.id == "crm.W001"
    assert "/srv/crm/db.sqlite3 lies on a network file system (nfs4)" in warning.msg


def test_the_checks_are_registered():
    from django.core.checks.registry import registry

    assert {checks.atomic_requests_on_sqlite, checks.sqlite_on_a_network} <= registry.registered_checks
