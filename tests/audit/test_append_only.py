"""R20: no entry of the audit log can be changed or deleted, except by erasure as in DESIGN 2.2."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, JSONField, Q, QuerySet, Value

from audit.append_only import TABLE, protect_log
from audit.models import Entry
from audit.record import OutsideTransaction, record
from contacts.models import Contact
from contacts.verbs.capture import capture
from crm.events.registry import UndeclaredEvent
from crm.kit.scope import in_workspace
from tests.factories import make_contact, rows

ERASED = {"old_values": None, "new_values": None, "note": None, "salt": None}


def columns() -> list[str]:
    return [field.column for field in Entry._meta.concrete_fields]


def run(sql: str, *params) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def row(entry: Entry) -> QuerySet:
    """Return the entry without our managers' workspace scope: only the database is tested here."""
    return QuerySet(Entry).filter(pk=entry.pk)


@pytest.fixture
def entry(acme) -> Entry:
    make_contact("Ana")
    return Entry.objects.filter(event="contact.created").get()


@pytest.fixture
def erasing(entry) -> Entry:
    """Return an ERASE entry of the same workspace and person."""
    return Entry.objects.create(**_facts(entry) | {"action": "ERASE"})


def _facts(entry: Entry) -> dict:
    return {f.attname: getattr(entry, f.attname) for f in Entry._meta.concrete_fields if f.name != "id"}


def refused(write) -> None:
    before = list(Entry.objects.order_by("id").values())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        write()
    assert list(Entry.objects.order_by("id").values()) == before


@pytest.mark.parametrize("field", [f.name for f in Entry._meta.concrete_fields])
def test_no_column_of_an_entry_changes(field, entry):
    other = {"id": 10**6, "old_values": {"a": 1}, "new_values": None, "at": F("recorded_at"), "recorded_at": F("at")}
    other |= {"change": "0" * 32, "erased_by": entry.pk, "salt": None, "note": "else", "person": 10**6}
    value = other.get(field, 10**6 if "id" in field else "x")
    refused(lambda: row(entry).update(**{field: value}))


def test_an_entry_is_not_saved_over_nor_deleted(entry):
    refused(entry.save)
    refused(entry.delete)
    refused(lambda: Entry.objects.all().delete())
    refused(lambda: Entry.objects.bulk_update([entry], ["note"]))


def test_raw_sql_is_refused_as_well(entry):
    refused(lambda: run("DELETE FROM audit_entry"))
    refused(lambda: run("UPDATE audit_entry SET note = 'x'"))


def test_an_insert_that_would_replace_is_refused(entry):
    names = ", ".join(columns())
    copy = f"INSERT INTO audit_entry ({names}) SELECT {names} FROM audit_entry WHERE id = %s"
    refused(lambda: run(f"{copy} ON CONFLICT (id) DO UPDATE SET note = 'x'", entry.pk))


@pytest.mark.once
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE"])
def test_sqlite_replaces_nothing(verb, entry):
    names = ", ".join(columns())
    refused(lambda: run(f"{verb} INTO audit_entry ({names}) SELECT {names} FROM audit_entry WHERE id = %s", entry.pk))
    refused(lambda: run("UPDATE OR REPLACE audit_entry SET note = 'x'"))


@pytest.mark.postgres
@pytest.mark.parametrize("tail", ["", " CASCADE", " RESTART IDENTITY"])
def test_postgresql_truncates_nothing(tail, entry):
    refused(lambda: run(f"TRUNCATE audit_entry{tail}"))


def test_the_one_erasing_shape_passes_once(entry, erasing):
    assert row(entry).update(**ERASED, erased_by=erasing.pk) == 1
    erased = Entry.objects.get(pk=entry.pk)
    assert (erased.old_values, erased.new_values, erased.note, erased.salt) == (None, None, None, None)
    assert (erased.event, erased.erased_by) == (entry.event, erasing.pk)
    refused(lambda: row(entry).update(**ERASED, erased_by=erasing.pk))


@pytest.mark.parametrize("kept", sorted(ERASED))
def test_erasing_erases_all_four_values(kept, acme, actor, erasing, entry):
    full = Entry.objects.create(**_facts(entry) | {"old_values": {"a": 1}, "note": "n"})
    erasing = Entry.objects.create(**_facts(erasing))
    change = {key: value for key, value in ERASED.items() if key != kept}
    refused(lambda: row(full).update(**change, erased_by=erasing.pk))


@pytest.mark.parametrize(
    "field", [f.name for f in Entry._meta.concrete_fields if f.name not in (*ERASED, "erased_by", "id")]
)
def test_erasing_changes_nothing_else(field, entry, erasing):
    past = datetime(2000, 1, 1, tzinfo=UTC)
    other = {"at": past, "recorded_at": past, "change": "0" * 32}
    value = other.get(field, 10**6 if field in ("workspace_id", "member_id", "entity_id", "person") else "x")
    refused(lambda: row(entry).update(**ERASED, **{field: value}, erased_by=erasing.pk))


def test_erasing_names_an_erase_entry_of_the_same_workspace(entry, erasing, cast):
    with in_workspace(cast.globex):
        foreign = Entry.objects.create(**_facts(erasing) | {"workspace_id": cast.globex.pk})
    another = Entry.objects.create(**_facts(erasing) | {"person": 10**6})
    nobodys = Entry.objects.create(**_facts(erasing) | {"person": None})
    for named in (None, entry.pk, 10**6, foreign.pk, another.pk, nobodys.pk):
        refused(lambda named=named: row(entry).update(**ERASED, erased_by=named))


def test_an_erase_entry_erases_nothing_that_comes_after_it_nor_another_of_its_kind(entry, erasing):
    later, second = Entry.objects.create(**_facts(entry)), Entry.objects.create(**_facts(erasing))
    refused(lambda: row(later).update(**ERASED, erased_by=erasing.pk))
    refused(lambda: row(erasing).update(**ERASED, erased_by=second.pk))


def test_the_triggers_come_back_after_they_were_lifted(entry):
    with connection.cursor() as cursor:
        on = f' ON "{TABLE}"' if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER audit_no_update{on}")
    row(entry).update(note="tampered")
    protect_log()
    refused(lambda: row(entry).update(note="again"))


@pytest.mark.django_db(transaction=True)
def test_nothing_is_recorded_outside_a_transaction(cast):
    with in_workspace(cast.acme):
        contact = make_contact()
        with pytest.raises(OutsideTransaction, match=r"must be recorded in the transaction"):
            record("contact.updated", rows(contact), by=cast.rep.actor("web"))


def test_nothing_is_recorded_that_no_app_declares(acme, actor):
    contact = make_contact()
    with pytest.raises(UndeclaredEvent, match=r"No app declares the event 'contact\.painted'"):
        record("contact.painted", rows(contact), by=actor("rep"))


def test_a_change_that_fails_leaves_neither_entry_nor_event(acme, actor):
    before = Entry.objects.count()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make_contact()
        1 / 0  # noqa: B018
    assert Entry.objects.count() == before
    assert not Contact.objects.exists()


def test_nothing_is_null_to_the_database_too(acme, actor):
    """Not JSON's null, which is a value: triggers and undo test for the absence of one."""
    capture([{"email": make_contact().email}], by=actor("rep"), source="Chat")
    assert not Entry.objects.filter(Q(old_values=Value(None, JSONField())) | Q(new_values=Value(None, JSONField())))
    assert Entry.objects.filter(old_values__isnull=True, event="contact.created").count() == 1
