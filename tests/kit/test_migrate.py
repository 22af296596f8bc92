import threading

import pytest
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection

from crm.kit.management.commands import migrate

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["direct", "deferred"])
def migration_that_locks(request, monkeypatch):
    """Reduce migrate to one ALTER per try; foreign keys are altered in deferred SQL."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE busy (id int)")

    def alter(self, *args, **options):
        with connection.schema_editor() as editor:
            run = editor.execute if request.param == "direct" else editor.deferred_sql.append
            run("ALTER TABLE busy ADD COLUMN more int")

    monkeypatch.setattr(migrate.migrate.Command, "handle", alter)
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(migrate, "PAUSE", 0.05)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE busy")


def other_session():
    import psycopg

    parameters = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    return psycopg.connect(**{name: parameters[name] for name in names if parameters.get(name)})


def test_a_migration_lets_the_table_go_and_tries_again(migration_that_locks, capsys):
    with other_session() as reader:
        reader.execute("SELECT * FROM busy")  # the lock lasts until the transaction ends
        threading.Timer(0.4, reader.commit).start()
        call_command("migrate", verbosity=0)
    assert "in use. Trying again" in capsys.readouterr().err
    with connection.cursor() as cursor:
        cursor.execute("SELECT more FROM busy")
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_it_gives_up_in_the_end(migration_that_locks, monkeypatch):
    monkeypatch.setattr(migrate, "ATTEMPTS", 2)
    with other_session() as reader:
        reader.execute("SELECT * FROM busy")
        with pytest.raises(OperationalError, match="lock timeout"):
            call_command("migrate", verbosity=0)
        reader.commit()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_failure_is_told_as_it_was(migration_that_locks, monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE busy ADD COLUMN more int")
    with pytest.raises(ProgrammingError, match="already exists"):
        call_command("migrate", verbosity=0)


def test_only_one_migration_runs_at_a_time(migration_that_locks, monkeypatch):
    monkeypatch.setattr(migrate, "ATTEMPTS", 2)
    with other_session() as other:
        other.execute(f"SELECT pg_advisory_lock({migrate.ONE_AT_A_TIME})")
        with pytest.raises(OperationalError, match="lock timeout"):
            call_command("migrate", verbosity=0)
