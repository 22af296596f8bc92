"""Concurrent changes. PostgreSQL reveals races that SQLite's single writer hides."""

from functools import partial
from threading import Event
from time import sleep

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import Entry
from audit.undo.undo import undo
from contacts.addresses import emails_of
from contacts.models import Contact, ContactAddress, Suppression
from contacts.verbs.capture import capture
from contacts.verbs.make_primary import make_primary
from contacts.verbs.merge import merge
from contacts.verbs.set_status import set_status
from contacts.verbs.win import win
from crm.kit.actor import Channel
from crm.kit.errors import AlreadyTaken, Conflict, DomainError, Refused
from crm.kit.scope import in_workspace
from crm.lifecycle.models import Transition
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from crm.users.visibility import lock
from tests.factories import make_contact, rows
from tests.threads import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def contact(cast):
    with in_workspace(cast.acme):
        yield make_contact("Ana", stage="qualified")


def by(cast):
    return cast.manager.actor(Channel.WEB)


def test_eight_who_win_one_contact_make_one_move(cast, contact):
    outcomes, errors = at_once(cast.acme, [partial(win, rows(contact), by=by(cast)) for _ in range(8)])
    assert errors == []
    assert sorted(len(outcome.done) for outcome in outcomes) == [0] * 7 + [1]
    assert {sentence for o in outcomes for sentence in o.refused.values()} == {"Already Customer."}
    assert Transition.objects.filter(verb="win").count() == 1
    assert Entry.objects.filter(event="contact.won").count() == 1


def test_of_eight_who_edit_one_field_one_is_first(cast, contact):
    calls = [partial(edit, rows(contact), {"title": f"T{n}"}, by=by(cast), base={"title": ""}) for n in range(8)]
    outcomes, errors = at_once(cast.acme, calls)
    assert (len(outcomes), {type(error) for error in errors}) == (1, {Conflict})
    [entry] = Entry.objects.filter(event="contact.updated")
    assert entry.old_values == {"title": ""}
    assert entry.new_values == {"title": Contact.objects.get().title}


def test_eight_who_edit_different_fields_all_get_through(cast, contact):
    fields = ("title", "department", "phone", "mobile", "source", "language", "twitter_handle", "notes")
    calls = [partial(edit, rows(contact), {name: name}, by=by(cast), base={name: ""}) for name in fields]
    _, errors = at_once(cast.acme, calls)
    assert errors == []
    contact.refresh_from_db()
    assert [getattr(contact, name) for name in fields] == list(fields)
    assert contact.version == 10  # created, moved, and changed eight times


def test_bulk_actions_over_the_same_rows_do_not_deadlock(cast, contact):
    people = [make_contact() for _ in range(30)]
    calls = [partial(assign, rows(*people), owner, by=by(cast)) for owner in (cast.rep, cast.mate) * 4]
    calls = [partial(assign, rows(*people[::-1]), cast.outsider, by=by(cast)), *calls]
    _, errors = at_once(cast.acme, calls)
    assert errors == []
    assert Contact.objects.filter(pk__in=[p.pk for p in people]).values("owner").distinct().count() == 1


def test_an_undo_and_a_bulk_edit_over_the_same_rows_do_not_deadlock(cast):
    """The edit holds the lower row and wants the higher while the undo waits: the undo must not hold the higher yet."""
    with in_workspace(cast.acme):
        lower, higher, change, held = make_contact(), make_contact(), by(cast), Event()
        edit(rows(lower, higher), {"title": "CFO"}, by=change)

        @transaction.atomic
        def bulk():
            lock(rows(lower), by(cast))
            held.set()
            wait_until_somebody_waits()
            return lock(rows(higher), by(cast)).ids

        results, errors = at_once(cast.acme, [bulk, lambda: held.wait(10) and undo(change.change, by=by(cast))])
    assert errors == []
    assert len(results) == 2


def wait_until_somebody_waits():
    """Wait until a transaction of this database waits for a lock."""
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # otherwise a transaction keeps its first snapshot
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone():
                return
        sleep(0.01)
    raise AssertionError("Nobody came to wait for the row.")


def test_a_change_is_undone_once(cast, contact):
    change = by(cast)
    edit(rows(contact), {"title": "CFO"}, by=change)
    results, errors = at_once(cast.acme, [partial(undo, change.change, by=by(cast)) for _ in range(8)])
    assert (len(results), {type(error) for error in errors}) == (1, {Refused})
    assert Entry.objects.filter(event="contact.undone").count() == 1


def test_two_who_merge_each_into_the_other_leave_one(cast, contact):
    other = make_contact("Ana R")
    calls = [partial(merge, contact, rows(other), by=by(cast)), partial(merge, other, rows(contact), by=by(cast))]
    results, errors = at_once(cast.acme, calls)
    assert (len(results), {type(error) for error in errors}) == (1, {Refused})
    assert Contact.objects.live().count() == 1


def test_of_eight_who_add_one_email_to_eight_contacts_one_has_it(cast):
    """As the primary or a further one, by edits, captures and a restore."""
    with in_workspace(cast.acme):
        people = [make_contact() for _ in range(5)]
        gone = make_contact("Gone", other_emails="work: a@x.example")
        delete(rows(gone), by=by(cast), reason="left")
        fields = ("email", "other_emails") * 3
        calls = [partial(edit, rows(p), {f: "A@x.example"}, by=by(cast)) for p, f in zip(people, fields, strict=False)]
        calls += [partial(capture, [{"email": "a@x.example"}], by=by(cast), source="web") for _ in range(2)]
        calls.append(partial(restore, rows(gone), by=by(cast)))
    _, errors = at_once(cast.acme, calls)
    assert {type(error) for error in errors} <= {AlreadyTaken, IntegrityError}
    with in_workspace(cast.acme):
        owner = ContactAddress.objects.get(kind="email", key="a@x.example").contact
        assert owner.deleted_at is None and "a@x.example" in owner.email_keys
        assert ContactAddress.objects.filter(kind="email").count() == sum(
            len(person.email_keys) for person in Contact.objects.live()
        )


def test_merges_and_edits_at_once_lose_no_email(cast):
    with in_workspace(cast.acme):
        survivor = make_contact("Ana", email="s@x.example")
        others = [make_contact(email=f"{n}@x.example", other_emails=f"more{n}@x.example") for n in range(4)]
        calls = [partial(merge, survivor, rows(other), by=by(cast)) for other in others]
        calls += [partial(edit, rows(other), {"title": "CFO"}, by=by(cast)) for other in others]
    at_once(cast.acme, calls)
    with in_workspace(cast.acme):
        emails = set(ContactAddress.objects.values_list("key", flat=True))
        assert emails == {"s@x.example", *(f"{name}{n}@x.example" for name in ("", "more") for n in range(4))}
        assert {row.contact.deleted_at for row in ContactAddress.objects.select_related("contact")} == {None}


LETTERS = "abcd"
SEEDED = {f"{letter}{number}@x.example" for letter in LETTERS for number in (1, 2, 3)}


def _own(contact: Contact) -> list[str]:
    return [email.value for email in emails_of(contact.address_fields)]


def test_addresses_of_contacts_merged_unmerged_and_captured_at_once_stay_with_one_each(cast):
    """Eight threads, three addresses a contact: none is lost, none is on two live contacts, none is emailed again."""
    with in_workspace(cast.acme):
        people = [
            make_contact(
                letter.upper(), email=f"{letter}1@x.example", other_emails=f"{letter}2@x.example\n{letter}3@x.example"
            )
            for letter in LETTERS
        ]
        set_status(rows(people[0]), "unsubscribed", by=by(cast))

        def merged_and_back(first, second, *, stays=False):
            change = by(cast)
            merge(Contact.objects.get(pk=first.pk), rows(second), by=change)
            return stays or undo(change.change, by=by(cast))

        def primary(person, address):
            return make_primary(rows(person), address, by=by(cast))

        def captured(number):
            emails = {"email": f"{LETTERS[number]}2@x.example", "other_emails": f"new{number}@x.example"}
            return capture([emails | {"title": "CFO"}], by=by(cast), source="web")

        a, b, c, d = people
        rounds = [
            [partial(merged_and_back, a, b), partial(merged_and_back, b, a), partial(merged_and_back, c, d)]
            + [partial(captured, number) for number in range(4)]
            + [partial(primary, d, "d3@x.example")],
            [partial(merged_and_back, a, c), partial(merged_and_back, d, b), partial(merged_and_back, b, c, stays=True)]
            + [partial(captured, number) for number in (3, 2, 1)]
            + [partial(primary, a, "a2@x.example"), partial(primary, b, "b3@x.example")],
        ]
        for calls in rounds * 2:
            _, errors = at_once(cast.acme, calls)
            assert not [error for error in errors if not isinstance(error, DomainError)]
        live = [(email, contact) for contact in Contact.objects.live() for email in _own(contact)]
        emails = [email for email, _ in live]
        assert sorted(emails) == sorted(set(emails)) and set(emails) >= SEEDED
        stored = ContactAddress.objects.filter(kind="email").values_list("value", "contact")
        assert sorted(stored) == sorted((email, contact.pk) for email, contact in live)
        assert Suppression.objects.filter(email_key="a1@x.example").exists()
        holder = next(contact for email, contact in live if email == "a1@x.example")
        assert holder.status == "unsubscribed"
