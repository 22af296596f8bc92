"""R21: changes to the log that bypass the triggers are detected, and the first bad entry is named."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import QuerySet

from audit.append_only import NAMES
from audit.models import Entry, Seal
from audit.sealing import seal_all
from tests.factories import make_contact


@pytest.fixture
def log(acme) -> list[int]:
    """Return the ids of acme's sealed entries."""
    for number in range(6):
        make_contact(f"Person {number}")
    seal_all()
    return list(Seal.objects.order_by("seq").values_list("entry_id", flat=True))


def verified(capsys, *arguments: str) -> tuple[int, str, dict]:
    """Return exit status, messages and JSON object of verify_audit."""
    status = 0
    try:
        call_command("verify_audit", "--workspace", "acme", "--json", *arguments)
    except SystemExit as end:
        status = end.code
    *sentences, report = capsys.readouterr().out.splitlines()
    return status, "\n".join(sentences), json.loads(report)


def behind_its_back(model):
    """Return the rows without triggers, like a database owner."""
    table = model._meta.db_table
    on = "" if connection.vendor == "sqlite" else f" ON {table}"
    with connection.cursor() as cursor:
        for what in ("update", "delete"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {NAMES[table]}_no_{what}{on}")
    return QuerySet(model)


def assert_found(capsys, entry: int, *words: str) -> None:
    status, sentences, report = verified(capsys)
    assert (status, report["ok"], report["entry"]) == (1, False, entry)
    assert report["problem"] in sentences
    assert str(entry) in report["problem"]
    for word in words:
        assert word in report["problem"]


def test_an_untouched_log_is_verified(log, capsys):
    make_contact()
    waiting = Entry.objects.count() - len(log)
    status, sentences, report = verified(capsys)
    head = Seal.objects.order_by("-seq").first().hash
    assert status == 0
    expected = {"ok": True, "sealed": len(log), "waiting": waiting, "head": head, "entry": None, "problem": ""}
    expected |= {"erased": {}}
    assert report == expected
    assert f"{len(log)} entries verified.\n{waiting} entries pending.\n" in sentences
    assert head in sentences


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ALTERED = {
    "event": "contact.updated",
    "action": "UPDATE",
    "entity": "company",
    "entity_id": 99,
    "person": 99,
    "at": LONG_AGO,
    "recorded_at": LONG_AGO,
    "member_id": 99,
    "channel": "import",
    "severity": "none",
    "category": "x",
    "change": UUID(int=0),
    "salt": "0" * 32,
    "note": "n",
    "old_values": {"a": 1},
    "new_values": {},
}


@pytest.mark.parametrize("column", ALTERED)
def test_an_altered_entry_is_named(column, log, capsys):
    behind_its_back(Entry).filter(pk=log[2]).update(**{column: ALTERED[column]})
    assert_found(capsys, log[2], "altered")


@pytest.mark.parametrize("column", ["id", "workspace_id"])
def test_an_entry_that_is_not_where_it_was_is_named(column, log, capsys):
    behind_its_back(Entry).filter(pk=log[2]).update(**{column: 10**6})
    assert_found(capsys, log[2], "removed")


@pytest.mark.parametrize("place", [0, 2, -1])
def test_a_removed_entry_is_named(place, log, capsys):
    behind_its_back(Entry).filter(pk=log[place]).delete()
    assert_found(capsys, log[place], "removed")


def test_two_swapped_entries_are_named(log, capsys):
    rows = behind_its_back(Entry)
    for old, new in ((log[1], 10**6), (log[3], log[1]), (10**6, log[3])):
        rows.filter(pk=old).update(id=new)
    assert_found(capsys, log[1], "altered")


def test_two_swapped_seals_are_named(log, capsys):
    rows = behind_its_back(Seal)
    for old, new in ((2, 10**6), (4, 2), (10**6, 4)):
        rows.filter(seq=old).update(seq=new)
    assert_found(capsys, log[3], "doesn’t follow the previous one")


def test_a_removed_seal_is_noticed(log, capsys):
    behind_its_back(Seal).filter(seq=3).delete()
    assert_found(capsys, log[3], "seals are missing between its seal, number 4,")


def test_an_entry_removed_with_its_seal_is_noticed(log, capsys):
    behind_its_back(Entry).filter(pk=log[2]).delete()
    behind_its_back(Seal).filter(seq=3).delete()
    assert_found(capsys, log[3], "seals are missing")


@pytest.mark.parametrize("column", ["content", "hash", "previous"])
def test_an_altered_seal_is_noticed(column, log, capsys):
    behind_its_back(Seal).filter(seq=3).update(**{column: "0" * 64})
    assert_found(capsys, log[2])


def test_an_entry_put_in_later_is_sealed_last_not_in_between(log, capsys):
    facts = Entry.objects.filter(pk=log[2]).values().get()
    Entry.objects.create(**facts | {"id": 10**6})
    seal_all()
    assert verified(capsys)[0] == 0
    assert Seal.objects.order_by("-seq").first().entry_id == 10**6


def erase(entries: list[int]) -> None:
    """Erase all earlier values of these entries' persons, each under an ERASE entry of its own."""
    for person in Entry.objects.filter(pk__in=entries).values_list("person", flat=True):
        theirs = theirs_of(person)
        blank(theirs, theirs[0], len(theirs))


def theirs_of(person: int) -> list[int]:
    """Return a person's entries that still have values."""
    rows = Entry.objects.filter(person=person, erased_by=None).exclude(action="ERASE")
    return list(rows.order_by("pk").values_list("pk", flat=True))


def of_one(log: list[int]) -> list[int]:
    """Return all entries of the second entry's person."""
    return theirs_of(Entry.objects.get(pk=log[1]).person)


def blank(entries: list[int], like: int, count: int) -> int:
    """Clear entries under a new ERASE entry of one's person, which claims to cover `count`."""
    facts = Entry.objects.filter(pk=like).values().get()
    del facts["id"]
    erasing = Entry.objects.create(**facts | {"action": "ERASE", "new_values": {"entries": count}})
    QuerySet(Entry).filter(pk__in=entries).update(**NOTHING, erased_by=erasing.pk)
    return erasing.pk


NOTHING = {"old_values": None, "new_values": None, "note": None, "salt": None}


def test_what_was_erased_by_the_rules_leaves_the_chain_whole(log, capsys):
    erase([log[1], log[-1]])
    assert verified(capsys)[0] == 0
    seal_all()
    erase([log[2]])
    status, _, report = verified(capsys)
    assert (status, report["waiting"]) == (0, 1)


def test_erasures_are_named_so_that_one_nobody_asked_for_is_seen(log, capsys):
    head = verified(capsys)[2]["head"]
    theirs = of_one(log)
    erasing = blank(theirs, log[1], len(theirs))
    status, sentences, report = verified(capsys, "--head", head)
    assert (status, report["erased"]) == (0, {str(erasing): len(theirs)})
    assert f"Entry {erasing} stands for {len(theirs)} erased entries." in sentences


def test_no_erase_entry_stands_for_the_entries_of_another_person(log, capsys):
    theirs = of_one(log)
    other = next(pk for pk in log if pk not in theirs)
    behind_its_back(Entry)
    blank([*theirs, other], log[1], len(theirs))
    seal_all()
    assert_found(capsys, other, "the ERASE entry of another contact")


@pytest.mark.parametrize("count", [0, 100, None])
def test_an_erase_entry_stands_for_as_many_entries_as_it_says(count, log, capsys):
    theirs = of_one(log)
    blank(theirs, log[1], count)
    assert_found(capsys, theirs[0], "which isn’t what it states")


def test_an_erase_entry_stands_for_all_that_its_person_had(log, capsys):
    theirs = of_one(log)[:-1]
    blank(theirs, log[1], len(theirs))
    assert_found(capsys, theirs[0], "left 1 entry of its contact")


def test_what_was_erased_before_it_was_sealed_is_in_order(log, capsys):
    make_contact()
    erase([Entry.objects.latest("id").pk])
    seal_all()
    assert verified(capsys)[0] == 0


@pytest.mark.parametrize("named", [None, "another", "nothing"])
def test_values_erased_without_an_erase_entry_are_named(named, log, capsys):
    named = {"another": log[0], "nothing": 10**6}.get(named)
    behind_its_back(Entry).filter(pk=log[2]).update(**NOTHING, erased_by=named)
    assert_found(capsys, log[2], "erased without an ERASE entry")


def test_an_erased_entry_is_still_protected_in_all_else(log, capsys):
    erase([log[2]])
    behind_its_back(Entry).filter(pk=log[2]).update(event="contact.deleted")
    assert_found(capsys, log[2], "altered")


def test_other_values_in_place_of_the_erased_ones_are_noticed(log, capsys):
    erase([log[2]])
    behind_its_back(Entry).filter(pk=log[2]).update(note="nothing happened")
    assert_found(capsys, log[2], "altered")


def test_a_head_written_down_tells_when_the_end_was_cut_off(log, capsys):
    head = verified(capsys)[2]["head"]
    assert verified(capsys, "--head", head)[0] == 0
    make_contact()
    seal_all()
    assert verified(capsys, "--head", head)[0] == 0
    behind_its_back(Entry).filter(pk__gte=log[-1]).delete()
    behind_its_back(Seal).filter(entry_id__gte=log[-1]).delete()
    assert verified(capsys)[0] == 0, "what is left is a whole chain"
    status, sentences, report = verified(capsys, "--head", head)
    assert (status, report["entry"]) == (1, None)
    assert "The log was truncated or rewritten" in sentences


@pytest.mark.parametrize("head", ["abc", "z" * 64, "A" * 64])
def test_a_head_that_is_none_is_wrong_usage(head, log):
    with pytest.raises(CommandError, match="64 characters") as error:
        call_command("verify_audit", "--workspace", "acme", "--head", head)
    assert error.value.returncode == 2
