import gc
import sqlite3
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, OperationalError, connections, transaction

from crm.kit import sqlite
from crm.kit.sqlite import courtesy
from crm.kit.sqlite.queue import FairLock
from crm.kit.sqlite.waiting import is_waited_for, waiting
from tests.kit.commands import ROOT
from tests.kit.scratch import sqlite_database

pytestmark = pytest.mark.once


@pytest.fixture
def db(tmp_path, django_db_blocker):
    """Return the alias of a SQLite database of its own, with a table of counters."""
    with django_db_blocker.unblock(), sqlite_database(tmp_path) as alias:
        execute(alias, "CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER UNIQUE)")
        execute(alias, "INSERT INTO counter VALUES (1, 0)")
        yield alias


def execute(alias, sql, params=None):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else None


def value(alias):
    return execute(alias, "SELECT n FROM counter WHERE id = 1")[0][0]


def in_threads(alias, *functions):
    """Run the functions concurrently, each on a connection of its own; return their exceptions."""
    errors = []

    def run(function):
        try:
            function()
        except Exception as error:
            errors.append(error)
        finally:
            connections[alias].close()

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.parametrize(
    "pragma, expected",
    [
        ("journal_mode", "wal"),
        ("synchronous", 1),
        ("recursive_triggers", 1),
        ("foreign_keys", 1),
        ("wal_autocheckpoint", 4000),
    ],
)
def test_every_connection_is_set_up_for_real_use(db, pragma, expected):
    assert execute(db, f"PRAGMA {pragma}") == [(expected,)]


def test_eight_writers_lose_nothing_and_are_never_locked_out(db):
    def writer():
        for _ in range(100):
            with transaction.atomic(db):
                execute(db, "UPDATE counter SET n = %s WHERE id = 1", [value(db) + 1])

    assert in_threads(db, *[writer] * 8) == []
    assert value(db) == 800


def test_a_writer_waits_for_those_before_it_only(db):
    """During a loop of transactions, a form's save runs after the current transaction, not after the loop."""
    batches, over = [], threading.Event()

    def bulk():
        while not over.is_set():
            with transaction.atomic(db):
                execute(db, "UPDATE counter SET n = n + 1 WHERE id = 1")
                time.sleep(0.01)
                batches.append(1)

    waited = []

    def person():
        for _ in range(20):
            before = len(batches)
            with transaction.atomic(db):
                waited.append(len(batches) - before)
        over.set()

    assert in_threads(db, bulk, person) == []
    assert max(waited) <= 2


def test_a_writer_finds_the_pauses_of_a_job_in_another_process(db):
    """SQLite's own waiting, with doubling intervals up to 100 ms, misses most of them."""
    batches, over = [], threading.Event()
    name = connections[db].settings_dict["NAME"]

    def other_process():
        other = sqlite3.connect(name, isolation_level=None)  # bypasses this process's queue
        while not over.is_set():
            other.execute("BEGIN IMMEDIATE")
            time.sleep(0.03)
            other.execute("COMMIT")
            batches.append(1)
            time.sleep(0.004)
        other.close()

    waited = []

    def person():
        for _ in range(20):
            before = len(batches)
            with transaction.atomic(db):
                waited.append(len(batches) - before)
            time.sleep(0.002)
        over.set()

    assert in_threads(db, other_process, person) == []
    assert sorted(waited)[-3] <= 2  # a busy machine may lose a pause


@pytest.mark.parametrize("rolls_back", [False, True])  # as an import's preview does
def test_the_end_of_a_transaction_tells_whether_another_process_waited_for_it(db, rolls_back):
    """Also for a writer that had the lock and left before the job checks."""
    with transaction.atomic(using=db):
        execute(db, "UPDATE counter SET n = 1")
        transaction.set_rollback(rolls_back, using=db)
    assert connections[db].was_awaited is False
    with waiting(connections[db].settings_dict["NAME"]), transaction.atomic(using=db):
        execute(db, "UPDATE counter SET n = 2")
        transaction.set_rollback(rolls_back, using=db)
    assert connections[db].was_awaited is True


def test_a_write_outside_a_transaction_queues_as_well(db):
    holding, go, order = threading.Event(), threading.Event(), []

    def holder():
        with transaction.atomic(db):
            holding.set()
            go.wait(5)
            time.sleep(0.05)
            order.append("holder")

    def single():
        holding.wait(5)
        go.set()
        execute(db, "UPDATE counter SET n = n + 1 WHERE id = 1")
        order.append("single")

    assert in_threads(db, holder, single) == []
    assert order == ["holder", "single"]
    assert free(db)


def free(alias):
    """Return whether a new writer gets the lock immediately."""
    started = time.monotonic()
    errors = in_threads(alias, lambda: transaction.atomic(alias)(lambda: None)())
    return errors == [] and time.monotonic() - started < 0.5


def test_savepoints_keep_the_turn_and_the_outermost_block_ends_it(db):
    with transaction.atomic(db):
        with pytest.raises(IntegrityError), transaction.atomic(db):
            execute(db, "INSERT INTO counter VALUES (2, 0)")
        execute(db, "UPDATE counter SET n = 5 WHERE id = 1")
        assert connections[db]._turn
    assert connections[db]._turn is None
    assert value(db) == 5
    assert free(db)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_ends_the_turn(db, error):
    with pytest.raises(error), transaction.atomic(db):
        execute(db, "UPDATE counter SET n = 5 WHERE id = 1")
        raise error
    assert value(db) == 0
    assert free(db)


def test_a_begin_that_fails_ends_the_turn(db):
    other = sqlite3.connect(connections[db].settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    execute(db, "PRAGMA busy_timeout = 1")
    with pytest.raises(OperationalError, match="locked"), transaction.atomic(db):
        pass
    other.execute("ROLLBACK")
    assert free(db)


def test_a_commit_that_fails_ends_the_turn(db):
    execute(db, "CREATE TABLE child (parent INTEGER REFERENCES counter DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(IntegrityError), transaction.atomic(db):
        execute(db, "INSERT INTO child VALUES (99)")
    assert execute(db, "SELECT * FROM child") == []
    assert free(db)


def test_closing_a_connection_inside_a_transaction_ends_the_turn(db):
    with pytest.raises(ZeroDivisionError), transaction.atomic(db):
        execute(db, "UPDATE counter SET n = 5 WHERE id = 1")
        connections[db].close()
        raise ZeroDivisionError
    assert value(db) == 0
    assert free(db)


def test_a_thread_that_died_in_a_transaction_holds_nobody_up(db):
    def dies():
        transaction.atomic(db).__enter__()  # never exits

    thread = threading.Thread(target=dies)
    thread.start()
    thread.join()
    del thread
    gc.collect()
    with transaction.atomic(db):
        execute(db, "UPDATE counter SET n = 7 WHERE id = 1")
    assert value(db) == 7


def test_a_writer_gives_up_after_the_timeout_and_leaves_the_queue(db):
    holding, over, errors = threading.Event(), threading.Event(), []

    def holder():
        with transaction.atomic(db):
            holding.set()
            over.wait(5)

    def waiter():
        holding.wait(5)
        connections[db].settings_dict["OPTIONS"] = {**connections[db].settings_dict["OPTIONS"], "timeout": 0.05}
        try:
            with transaction.atomic(db):
                pass
        except OperationalError as error:
            errors.append(str(error))
        over.set()

    assert in_threads(db, holder, waiter) == []
    assert errors == ["database is locked: other threads kept writing for 0.05 s"]
    assert free(db)


def test_insert_or_replace_cannot_slip_past_a_delete_trigger(db):
    execute(db, "CREATE TRIGGER keep BEFORE DELETE ON counter BEGIN SELECT RAISE(ABORT, 'append-only'); END")
    with pytest.raises(IntegrityError, match="append-only"):
        execute(db, "INSERT OR REPLACE INTO counter VALUES (1, 9)")


def test_sql_can_call_a_function_that_was_added(tmp_path, django_db_blocker, monkeypatch):
    monkeypatch.setattr(sqlite, "_functions", [])
    sqlite.add_function("shout", 1, lambda text: None if text is None else text.upper() + "!")
    with django_db_blocker.unblock(), sqlite_database(tmp_path) as alias:
        assert execute(alias, "SELECT shout('straße'), shout(NULL)") == [("STRASSE!", None)]


def test_the_lock_serves_in_order_of_arrival():
    lock, order = FairLock(), []
    first = lock.acquire(1)

    def wait(number):
        turn = lock.acquire(5)
        order.append(number)
        lock.release(turn)

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(lock._queue) < number + 2:
            time.sleep(0.001)
    lock.release(first)
    lock.release(first)  # twice has no effect
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def _database(monkeypatch):
    """Replace the job's connection by a SQLite one that measures nothing."""
    database = SimpleNamespace(vendor="sqlite", settings_dict={"NAME": "crm.sqlite3"}, was_awaited=False, held=0.0)
    monkeypatch.setattr(courtesy, "connection", database)
    return database


def test_a_job_writes_as_many_rows_as_take_its_time(monkeypatch):
    """Slow rows come in small batches, fast ones in large; larger and without pauses while no user is active."""
    moments, slept, waiting = [0.0], [], []
    database = _database(monkeypatch)
    monkeypatch.setattr(courtesy, "_last_seen", float("-inf"))
    monkeypatch.setattr(courtesy, "is_waited_for", lambda database: waiting and waiting.pop())
    monkeypatch.setattr(courtesy.time, "perf_counter", lambda: moments[0])
    monkeypatch.setattr(courtesy.time, "sleep", slept.append)
    pace = courtesy.Pace(20)

    def take_batches(*expected):
        for took, size in expected:
            with pace.batch():
                moments[0] += took
            assert pace.size == size

    take_batches((0.1, 40), (0.1, 80), (0.2, 80), (0.4, 40))
    assert slept == []
    waiting.append(True)
    database.was_awaited = True
    take_batches((0.1, 12), (0.06, 10))
    assert slept == [courtesy.LOOK]
    database.was_awaited = False
    take_batches((0.005, 20), (0.03, 20))  # a user came, and may return
    moments[0] += courtesy.RECENTLY
    take_batches((0.03, 40))


def test_a_job_pauses_while_another_request_of_its_process_is_answered(monkeypatch):
    slept = []
    _database(monkeypatch)
    monkeypatch.setattr(courtesy, "is_waited_for", lambda database: False)
    monkeypatch.setattr(courtesy.time, "sleep", slept.append)

    def take_a_batch():
        with courtesy.batch():
            pass

    with courtesy.count_request():  # the job's own request
        take_a_batch()
    assert slept == []
    with courtesy.count_request():
        other = threading.Thread(target=take_a_batch)
        other.start()
        other.join()
    assert len(slept) == 1


def test_a_job_lets_a_writer_of_another_process_in(tmp_path):
    """It signals waiting exactly until it has the lock, also if killed."""
    database = tmp_path / "crm.sqlite3"
    assert not is_waited_for(database)
    script = (
        f"from crm.kit.sqlite.waiting import waiting\nwith waiting({str(database)!r}):\n print(flush=True); input()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    process.stdout.readline()
    assert is_waited_for(database)
    process.kill()
    process.communicate()
    assert not is_waited_for(database)
    with waiting(database), waiting(database):
        assert is_waited_for(database)
    assert not is_waited_for("file:memory")
