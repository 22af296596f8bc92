"""Verbs by role and owner (DESIGN: roles); refusals write nothing."""

import pytest

from contacts.models import Contact
from contacts.verbs.churn import churn
from contacts.verbs.enrich import enrich
from contacts.verbs.lose import lose
from contacts.verbs.override import override
from contacts.verbs.partner import partner
from contacts.verbs.qualify import qualify
from contacts.verbs.reopen import reopen
from contacts.verbs.set_avatar import set_avatar
from contacts.verbs.set_status import set_status
from contacts.verbs.win import win
from crm.kit.errors import NotAllowed
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from tests.factories import make_contact, manager, rows
from tests.log import assert_nothing_written, entries

pytestmark = pytest.mark.once

# verb → the initial stage ("trash": in the trash), and the call
VERBS = {
    "edit": ("lead", lambda found, by: edit(found, {"title": "CFO"}, by=by)),
    "assign": ("lead", lambda found, by: assign(found, by.member_id, by=by)),
    "enrich": ("lead", lambda found, by: enrich(found, {"title": "CFO"}, by=by, source="register")),
    "delete": ("lead", lambda found, by: delete(found, by=by, reason="twice")),
    "restore": ("trash", lambda found, by: restore(found, by=by)),
    "set_status": ("lead", lambda found, by: set_status(found, "bounced", by=by)),
    "set_avatar": ("lead", lambda found, by: set_avatar(found, None, by=by)),
    "qualify": ("lead", lambda found, by: qualify(found, by=by)),
    "win": ("qualified", lambda found, by: win(found, by=by)),
    "lose": ("qualified", lambda found, by: lose(found, by=by, reason="no budget")),
    "churn": ("customer", lambda found, by: churn(found, by=by, reason="left")),
    "partner": ("customer", lambda found, by: partner(found, by=by, reason="resells")),
    "reopen": ("lost", lambda found, by: reopen(found, by=by, reason="is back")),
    "override": ("lead", lambda found, by: override(found, to="customer", by=by, reason="signed")),
}
MANAGERS_ONLY = {"reopen", "override"}
MOVES = {"set_status", "qualify", "win", "lose", "churn", "partner", "reopen", "override"}
DONE = {"rep", "mate", "manager", "admin"}
WHO = ["viewer", "rep", "mate", "outsider", "manager", "admin", "globex_admin"]


def prepared(verb: str, **values) -> Contact:
    stage = VERBS[verb][0]
    contact = make_contact(stage="lead" if stage == "trash" else stage, **values)
    if stage == "trash":
        delete(rows(contact), by=manager(), reason="for the test")
    return contact


def expect(verb: str, who: str, cast, contact: Contact, by, *, done: bool, sees: bool) -> None:
    found = rows(contact)
    before = found.values().get()
    lowest = {"viewer": 0, "manager": 2, "admin": 3, "globex_admin": 3}.get(who, 1)
    if verb in MOVES and lowest < (2 if verb in MANAGERS_ONLY else 1):
        with pytest.raises(NotAllowed, match=r"Only managers and admins|Viewers can’t"):
            VERBS[verb][1](found, by)
        done = False
    else:
        outcome = VERBS[verb][1](found, by)
        assert outcome.done == ([contact.pk] if done else [])
        refusal = "View only – this record belongs to someone else."
        assert outcome.refused == ({contact.pk: refusal} if sees and not done else {})
    if not done:
        assert_nothing_written(by)
        assert found.values().get() == before
    elif verb not in ("set_avatar", "assign"):
        assert {entry.person for entry in entries(by) if entry.entity != "lead"} == {contact.pk}


@pytest.mark.parametrize("who", WHO[:-1])
@pytest.mark.parametrize("verb", VERBS)
def test_a_contact_of_a_team(verb, who, acme, cast, actor):
    contact = prepared(verb, owner=cast.rep, team=cast.iberia)
    expect(verb, who, cast, contact, actor(who), done=who in DONE, sees=who in DONE)


@pytest.mark.parametrize("who", WHO[:-1])
@pytest.mark.parametrize("verb", VERBS)
def test_a_contact_of_no_team_is_seen_by_all_and_changed_by_its_owner(verb, who, acme, cast, actor):
    contact = prepared(verb, owner=cast.rep)
    expect(verb, who, cast, contact, actor(who), done=who in {"rep", "manager", "admin"}, sees=True)


@pytest.mark.parametrize("who", ["viewer", "outsider"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_contact_of_nobody_is_anybodys_but_the_viewers(verb, who, acme, cast, actor):
    contact = prepared(verb)
    expect(verb, who, cast, contact, actor(who), done=who == "outsider", sees=True)


@pytest.mark.parametrize("verb", VERBS)
def test_of_many_the_others_are_done(verb, acme, cast, actor):
    mine, seen, unseen = (
        prepared(verb, owner=cast.rep),
        prepared(verb, owner=cast.manager),
        prepared(verb, owner=cast.manager, team=cast.nordics),
    )
    by = actor("rep")
    if verb in MANAGERS_ONLY:
        return expect(verb, "rep", cast, mine, by, done=False, sees=True)
    outcome = VERBS[verb][1](rows(mine, seen, unseen), by)
    assert outcome.done == [mine.pk]
    assert list(outcome.refused) == [seen.pk]
    assert {entry.person for entry in entries(by) if entry.entity != "lead"} <= {mine.pk}
    return None


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"restore"}))
def test_what_is_in_the_trash_stays_as_it_is(verb, acme, cast, actor):
    contact = prepared(verb)
    delete(rows(contact), by=manager(), reason="for the test")
    by = actor("manager")
    outcome = VERBS[verb][1](rows(contact), by)
    assert outcome.refused == {contact.pk: "This record is in the trash. Restore it first."}
    assert_nothing_written(by)


def test_what_is_not_in_the_trash_is_not_restored(open_contact, actor):
    by = actor("manager")
    assert restore(rows(open_contact), by=by).refused == {open_contact.pk: "This record isn’t in the trash."}
    assert_nothing_written(by)
