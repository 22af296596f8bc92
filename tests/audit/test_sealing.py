"""R21: every committed entry is sealed once, in one chain per workspace, by any sealer and however late it commits."""

import threading
import time
from itertools import count

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from audit import sealing
from audit.append_only import KEPT as NOT_ERASED
from audit.append_only import SEALS
from audit.chain import ERASABLE, KEPT
from audit.models import Entry, Seal, Watermark
from audit.sealing import seal_all
from audit.verify import verify
from crm.events.scheduler import Scheduler
from crm.kit.scope import in_workspace
from tests.factories import make_company, make_contact
from tests.threads import at_once


def sealed() -> list[int]:
    """Return the sealed entry ids of the workspace in scope, in chain order."""
    return list(Seal.objects.order_by("seq").values_list("entry_id", flat=True))


def written() -> list[int]:
    return list(Entry.objects.order_by("id").values_list("id", flat=True))


def test_every_column_of_an_entry_is_hashed_but_the_one_that_erasing_fills():
    """A new column enters the hash with a new seal format: existing seals were made without it."""
    assert set(KEPT) == set(NOT_ERASED)
    assert {*KEPT, *ERASABLE, "erased_by"} == {field.column for field in Entry._meta.concrete_fields}


def test_all_entries_are_sealed_once_each_workspace_in_a_chain_of_its_own(cast, monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 3)
    for workspace, number in ((cast.acme, 4), (cast.globex, 2), (cast.acme, 1)):
        with in_workspace(workspace):
            for _ in range(number):
                make_contact(by=getattr(cast, "manager" if workspace == cast.acme else "globex_admin").actor("web"))
    assert seal_all() == Entry.objects.unscoped().count()
    assert seal_all() == 0
    for workspace in (cast.acme, cast.globex):
        with in_workspace(workspace):
            assert sealed() == written()
            seals = list(Seal.objects.order_by("seq"))
            assert [seal.seq for seal in seals] == list(range(1, len(seals) + 1))
            assert [seal.previous for seal in seals[1:]] == [seal.hash for seal in seals[:-1]]
            assert verify().problem == ""


def test_the_chain_goes_on_where_it_ended(acme):
    make_contact()
    seal_all()
    head = verify().head
    make_contact()
    assert verify().waiting == len(written()) - len(sealed()) > 0
    seal_all()
    assert (verify(head).problem, verify().sealed, verify().waiting) == ("", len(written()), 0)


def test_with_nothing_new_the_sealer_neither_looks_through_the_log_nor_writes(
    acme, django_assert_num_queries, monkeypatch
):
    # As if idle: another test's transaction, in any database, makes the sealer check again.
    numbers = count(1)
    monkeypatch.setattr(sealing, "_transactions", lambda: (number := next(numbers), number))
    make_contact()
    seal_all()
    seal_all()
    with django_assert_num_queries(2) as asked:
        assert seal_all() == 0
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


@pytest.mark.parametrize("column", [field.column for field in Seal._meta.concrete_fields])
def test_no_column_of_a_seal_changes(column, acme):
    make_contact()
    seal_all()
    value = 10**6 if column in ("id", "workspace_id", "seq", "entry_id") else "f" * 64
    refused(lambda: QuerySet(Seal).filter(seq=1).update(**{column: value}))


def test_a_seal_is_not_deleted_nor_written_over(acme):
    make_contact()
    seal_all()
    names = ", ".join(field.column for field in Seal._meta.concrete_fields)
    copy = f"SELECT {names} FROM {SEALS}"
    refused(lambda: Seal.objects.all().delete())
    refused(lambda: run(f"DELETE FROM {SEALS}"))
    refused(lambda: run(f"INSERT INTO {SEALS} ({names}) {copy} WHERE true ON CONFLICT (id) DO UPDATE SET hash = 'x'"))
    refused(lambda: run(f"INSERT OR REPLACE INTO {SEALS} ({names}) {copy}" if sqlite() else f"TRUNCATE {SEALS}"))


def sqlite() -> bool:
    return connection.vendor == "sqlite"


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def refused(write) -> None:
    before = list(Seal.objects.order_by("seq").values())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        write()
    assert list(Seal.objects.order_by("seq").values()) == before


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_make_one_chain(cast, monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 5)
    with in_workspace(cast.acme):
        for _ in range(40):
            make_contact()
        results, errors = at_once(cast.acme, [seal_all] * 4)
        assert not errors
        assert sum(results) == Entry.objects.unscoped().count()
        assert (verify().problem, sealed()) == ("", written())


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_entry_that_commits_late_is_sealed_late(cast, monkeypatch):
    written_down, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            make_company("Late")  # not a contact, whose owner's turn would block others
            written_down.set()
            assert may_commit.wait(20)

    def meanwhile() -> int:
        written_down.wait(20)
        for _ in range(3):  # the sealer runs several times before the slow one has finished
            make_contact()
            assert seal_all() > 0
        before = verify().sealed
        assert seal_all() == 0
        may_commit.set()
        return before

    _, errors = at_once(cast.acme, [slow, meanwhile])
    assert not errors
    with in_workspace(cast.acme):
        late = Entry.objects.get(event="company.created", new_values__name="Late").pk
        assert late < max(sealed())
        assert seal_all() >= 1
        assert late in sealed()
        assert (verify().problem, verify().waiting) == ("", 0)
        assert_all_is_done(monkeypatch)


def assert_all_is_done(monkeypatch) -> None:
    """Wait until no older transaction is open in this database: tests in other processes keep theirs open long."""
    everywhere = sealing._transactions
    monkeypatch.setattr(sealing, "_transactions", lambda: (everywhere()[0], _settled_here()))
    deadline = time.monotonic() + 30
    while Watermark.objects.get().done < max(written()) and time.monotonic() < deadline:
        seal_all()
        time.sleep(0.1)
    assert Watermark.objects.get().done == max(written())


def _settled_here() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(backend_xid::text::bigint) FROM pg_stat_activity WHERE datname = current_database()")
        open_here = cursor.fetchone()[0]
        cursor.execute("SELECT pg_current_xact_id()::text")
        return open_here or int(cursor.fetchone()[0])


@pytest.mark.postgres
def test_transaction_numbers_of_another_server_hold_nothing_up(acme):
    make_contact()
    seal_all()
    Watermark.objects.update(seen_before=10**15)
    make_contact()
    seal_all()
    mark = Watermark.objects.get()
    assert mark.seen == max(written())
    assert mark.seen_before < 10**15


@pytest.mark.django_db(transaction=True)
def test_the_schedule_seals_what_was_written(acme):
    make_contact()
    clockwork = Scheduler()
    clockwork.tick()
    clockwork.join(20)
    assert sealed() == written() != []
