"""Grown tables are analyzed, on both engines, also inside the transaction that fills them."""

from uuid import uuid4

import pytest
from django.db import connection

from audit.models import Entry
from contacts.models import Contact
from crm.kit import statistics
from crm.lifecycle.models import Transition
from leads.models import Lead, Score
from tests.contacts.files import import_csv


@pytest.fixture
def looked_at(monkeypatch):
    """Return the analyzed tables, in order."""
    tables, analyze = [], statistics._analyze
    monkeypatch.setattr(statistics, "_written", {})
    monkeypatch.setattr(statistics, "_due", {})
    monkeypatch.setattr(statistics, "LEAST", {"sqlite": 20, "postgresql": 20})

    def look(table, columns=None):
        tables.append(table)
        analyze(table, columns)

    monkeypatch.setattr(statistics, "_analyze", look)
    return tables


def people(first, last):
    return "E-mail\n" + "".join(f"p{n}@x.example\n" for n in range(first, last))


def test_an_import_has_every_table_analyzed_that_it_fills(acme, looked_at):
    import_csv(people(0, 50))
    filled = {model._meta.db_table for model in (Contact, Lead, Score, Entry, Transition)}
    assert filled <= set(looked_at)
    assert statistics._known(Contact._meta.db_table) >= 20


def test_a_table_is_analyzed_again_when_it_has_tripled_and_not_before(acme, looked_at):
    import_csv(people(0, 60))
    seen = looked_at.count(Contact._meta.db_table)
    import_csv(people(60, 70))
    assert looked_at.count(Contact._meta.db_table) == seen
    import_csv(people(70, 300))
    assert looked_at.count(Contact._meta.db_table) > seen


@pytest.mark.postgres
def test_what_was_restored_is_analyzed_with_the_next_migrate(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE restored (n integer)")
        try:
            cursor.execute("INSERT INTO restored SELECT generate_series(1, 100)")
            assert "restored" in statistics._tables(grown=False)
            statistics.analyze_all()
            assert statistics._known("restored") == 100
            assert "restored" not in statistics._tables(grown=False)
        finally:
            cursor.execute("DROP TABLE restored")


def test_what_a_change_did_to_some_records_is_looked_up_by_the_records(acme):
    """Otherwise each batch of an undo would read all entries of its import."""
    run = import_csv(people(0, 1_000))
    statistics.analyze_all(grown=True)
    ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True)[:5])
    entries = Entry.objects.filter(entity="contact", entity_id__any_of=ids)
    asked = entries.filter(change__unindexed=run.change)
    assert asked.count() == 5
    assert not entries.filter(change__unindexed=uuid4()).exists()
    plan = asked.explain()
    assert "entry_subject" in plan and "entry_change" not in plan
