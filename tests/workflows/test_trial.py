"""A stage requirement is tested on past moves: each record with its values before, changing nothing."""

import random

import pytest

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Contact
from contacts.moves import VERBS
from crm.conditions.parse import parse
from crm.lifecycle.models import Guard
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.workflows import guard_preview
from crm.workflows.guard_preview import preview_guard
from tests.factories import make_contact, make_field, rows

TITLES = ("CEO", "Driver", "")


def tried(condition: str, verb: str = "qualify"):
    return preview_guard("contact", verb, parse(condition, "contact"))


def test_it_asks_each_record_as_it_stood_before_the_move(acme, actor):
    make_field("fleet_size", "number", "Fleet size")
    chance, would = random.Random(5), 0
    people = [make_contact(title=chance.choice(TITLES), fleet_size=chance.randint(0, 9)) for _ in range(12)]
    for _ in range(60):
        contact = Contact.objects.get(pk=chance.choice(people).pk)
        if contact.lifecycle_stage == "lead" and chance.random() < 0.5:
            would += not (contact.title == "CEO" or contact.custom["fleet_size"] > 5)
            VERBS["qualify"](rows(contact), by=actor("manager"), reason="").or_raise()
        elif contact.lifecycle_stage == "qualified" and chance.random() < 0.5:
            VERBS["lose"](rows(contact), by=actor("manager"), reason="x")
        elif contact.lifecycle_stage == "lost":
            VERBS["reopen"](rows(contact), by=actor("manager"), reason="x")
        else:
            values = {"title": chance.choice(TITLES), "fleet_size": chance.randint(0, 9)}
            edit(rows(contact), values, by=actor("rep"))
    last = Entry.objects.latest("pk").pk
    said = tried("title = CEO or fleet_size > 5")
    waiting = Contact.objects.filter(lifecycle_stage="lead")
    assert 0 < said.refused == would < said.asked
    assert len(said.shown) == min(would, guard_preview.SHOWN)
    assert said.waiting == waiting.count()
    assert said.held == sum(not (c.title == "CEO" or c.custom["fleet_size"] > 5) for c in waiting)
    assert Entry.objects.latest("pk").pk == last
    assert not Guard.objects.exists()


def test_only_the_last_moves_that_stand_of_records_that_are_there(acme, actor, monkeypatch):
    people = [make_contact(title=title) for title in ("", "CEO", "", "")]
    for contact in people:
        VERBS["qualify"](rows(contact), by=actor("manager"), reason="")
    assert (tried("title = CEO").asked, tried("title = CEO").refused) == (4, 3)
    delete(rows(people[0]), by=actor("manager"), reason="Twice")
    assert (tried("title = CEO").asked, tried("title = CEO").refused) == (3, 2)
    undo(Entry.objects.filter(event="contact.qualified").latest("pk").change, by=actor("manager"))
    assert (tried("title = CEO").asked, tried("title = CEO").refused) == (2, 1)
    monkeypatch.setattr(guard_preview, "LAST", 1)
    assert tried("title = CEO").asked == 1


def test_a_verb_that_moved_nobody_yet_says_so(acme, actor):
    make_contact(title="CEO")
    said = tried("title = CEO", "churn")
    assert (said.asked, said.refused, said.shown, said.waiting, said.held) == (0, 0, [], 0, 0)


@pytest.mark.parametrize("do", ["save", "try"])
def test_what_cannot_be_read_is_told_where_it_stands_and_nothing_is_saved(acme, sign_in, do):
    data = {"verb": "contact.qualify", "condition": "titel = CEO", "message": "", "position": 0, "do": do}
    page = sign_in("admin").post("/settings/workflows/prerequisites/new/", data)
    assert page.status_code == 422
    assert "Enter an error message." in page.content.decode()
    page = sign_in("admin").post("/settings/workflows/prerequisites/new/", data | {"message": "M"})
    assert "Did you mean “Title”" in page.content.decode()
    assert not Guard.objects.exists()


def test_it_is_tried_saved_and_obeyed(acme, actor, sign_in):
    contact, other = make_contact(title=""), make_contact(title="")
    VERBS["qualify"](rows(other), by=actor("manager"), reason="")
    client = sign_in("admin")
    data = {"verb": "contact.qualify", "condition": "title is not empty", "message": "Title needed", "position": 0}
    page = client.post("/settings/workflows/prerequisites/new/", data | {"do": "try"}).content.decode()
    assert "Blocked among 1 recent change</dt><dd>1</dd>" in page
    assert "Blocked among 1 record eligible now</dt><dd>1</dd>" in page
    assert not Guard.objects.exists()
    client.post("/settings/workflows/prerequisites/new/", data | {"is_active": "on", "do": "save"})
    acme.refresh_from_db()  # every request reads the settings version
    assert VERBS["qualify"](rows(contact), by=actor("manager"), reason="").refused == {contact.pk: "Title needed"}
    address = f"/settings/workflows/prerequisites/{Guard.objects.get().pk}/"
    assert "Title is not empty" in client.get(address).content.decode()
    client.post(address, data | {"do": "save"})  # without the tick: inactive
    acme.refresh_from_db()
    assert VERBS["qualify"](rows(contact), by=actor("manager"), reason="").done == [contact.pk]
