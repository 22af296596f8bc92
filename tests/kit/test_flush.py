"""A table that rejects deletions, like the audit log: only a test's final flush may empty it."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

pytestmark = pytest.mark.django_db(transaction=True)

REFUSALS = {
    "sqlite": ["CREATE TRIGGER keep BEFORE DELETE ON users_user BEGIN SELECT RAISE(ABORT, 'append-only 100%'); END"],
    "postgresql": [
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'append-only'; END $$",
        "CREATE TRIGGER keep BEFORE DELETE ON users_user FOR EACH ROW EXECUTE FUNCTION keep()",
        "CREATE TRIGGER keep_all BEFORE TRUNCATE ON users_user EXECUTE FUNCTION keep()",
    ],
}
CLEAN_UP = {
    "sqlite": ["DROP TRIGGER keep"],
    "postgresql": ["DROP FUNCTION keep() CASCADE"],
}


def run(statements):
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


@pytest.fixture
def append_only():
    """Reject deletions of users."""
    run(REFUSALS[connection.vendor])
    yield
    run(CLEAN_UP[connection.vendor])


def test_a_flush_goes_past_the_triggers_and_leaves_them_in_force(append_only, django_user_model):
    django_user_model.objects.create_user("ann@acme.example")
    call_command("flush", interactive=False, verbosity=0)
    assert not django_user_model.objects.exists()
    django_user_model.objects.create_user("ann@acme.example")
    with pytest.raises(DatabaseError, match="append-only"):
        run(["DELETE FROM users_user"])
    assert django_user_model.objects.count() == 1
