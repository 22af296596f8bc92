"""What no index serves is stopped, on both engines, and leaves the connection as it was."""

import pytest
from django.db import DatabaseError, connection, transaction

from crm.kit.timelimit import TooSlow, time_limit

SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT MAX(i) "
    "FROM n",
    "postgresql": "SELECT pg_sleep(20)",
}
SENTENCE = r"This takes longer than 0\.2 seconds, because no index helps to find these records"


def run(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_a_slow_query_ends_with_a_sentence_and_the_next_one_runs():
    with pytest.raises(TooSlow, match=SENTENCE), time_limit(0.2):
        run(SLOW[connection.vendor])
    assert run("SELECT 1") == [(1,)]
    with time_limit(0.2):
        assert run("SELECT 2") == [(2,)]


@pytest.mark.django_db(transaction=True)
def test_the_limit_ends_with_its_block():
    with time_limit(0.2):
        run("SELECT 1")
    if connection.vendor == "postgresql":
        assert run("SHOW statement_timeout") == [("0",)]
    else:
        short = SLOW["sqlite"].replace("100000000", "3000000")  # takes longer than the limit was
        assert run(short) == [(3000000,)]


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_reading_under_a_limit_does_not_wait_for_writers():
    with time_limit(3):
        assert not connection.in_atomic_block


@pytest.mark.django_db
def test_other_errors_stay_what_they_are():
    with pytest.raises(DatabaseError, match="nowhere") as error, transaction.atomic(), time_limit(1):
        run("SELECT * FROM nowhere")
    assert not isinstance(error.value, TooSlow)
