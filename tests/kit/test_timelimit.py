"""Unindexed queries are stopped on both engines, leaving the connection usable."""

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from crm.kit import timelimit
from crm.kit.errors import Busy
from crm.kit.pool import FairSemaphore
from crm.kit.timelimit import TooSlow, is_timeout, long_request, request_limits, statement_limit, time_limit

SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT MAX(i) "
    "FROM n",
    "postgresql": "SELECT pg_sleep(20)",
}
# Longer than these tests' limits, and short enough to wait for.
SHORT = {"sqlite": SLOW["sqlite"].replace("100000000", "3000000"), "postgresql": "SELECT 1 FROM pg_sleep(0.4)"}
SENTENCE = "This search is taking too long"


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
        assert run(SHORT["sqlite"]) == [(3000000,)]


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_reading_under_a_limit_does_not_wait_for_writers():
    with time_limit(3):
        assert not connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_an_inner_limit_ends_with_its_block_too():
    with time_limit(5), transaction.atomic():
        with time_limit(0.2):
            run("SELECT 1")
        assert statement_limit() == 5
        if connection.vendor == "postgresql":
            assert run("SHOW statement_timeout") == [("5s",)]


@pytest.mark.django_db(transaction=True)
def test_every_statement_of_a_request_is_limited_and_none_of_a_command(monkeypatch):
    monkeypatch.setattr(timelimit, "PAGE", 0.2)
    connection.close()  # as in a server thread, which connects during a request
    try:
        with request_limits(), pytest.raises(OperationalError) as stopped:
            run(SLOW[connection.vendor])
        assert is_timeout(stopped.value)
        with request_limits(), long_request(5):
            assert run(SHORT[connection.vendor])
        with request_limits(), pytest.raises(OperationalError):
            run(SHORT[connection.vendor])
    finally:
        connection.close()
    assert run(SHORT[connection.vendor])


@pytest.mark.django_db(transaction=True)
def test_a_turn_is_taken_once_in_a_request_and_never_in_a_command(monkeypatch):
    monkeypatch.setattr(timelimit, "turns", FairSemaphore(size=1, queue=0, patience=0))
    with request_limits(), long_request(), time_limit(), pytest.raises(Busy), timelimit.turns.turn("someone else"):
        pass
    with timelimit.turns.turn("someone"):
        with time_limit():
            run("SELECT 1")
        with request_limits(), pytest.raises(Busy), time_limit():
            pass


@pytest.mark.django_db
def test_other_errors_stay_what_they_are():
    with pytest.raises(DatabaseError, match="nowhere") as error, transaction.atomic(), time_limit(1):
        run("SELECT * FROM nowhere")
    assert not isinstance(error.value, TooSlow)
