"""Every cell of the opportunity's stages: each verb, at each stage, by each role, against a table written here."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from audit.undo.undo import undo
from contacts.models import Contact
from crm.kit import clock
from crm.kit.errors import Invalid, NotAllowed, Refused
from crm.lifecycle.models import Transition
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.reopen import reopen
from crm.opportunities.verbs.win import win
from tests.factories import make_contact, make_opportunity, rows
from tests.log import assert_entry, assert_nothing_written, entries, moves

OPEN = ("prospecting", "qualification", "proposal", "negotiation")
STAGES = (*OPEN, "won", "lost")
ROLES = ("viewer", "rep", "manager", "admin")
LABELS = {stage: stage.title() for stage in STAGES}
CHANCE = dict(zip(STAGES, ("0.1000", "0.2500", "0.5000", "0.7500", "1.0000", "0.0000"), strict=True))
# verb: (from, lowest role, event, action)
TABLE = {
    "move_stage": (set(OPEN), "rep", "opportunity.moved", "MOVE"),
    "win": (set(OPEN), "rep", "opportunity.won", "WIN"),
    "lose": (set(OPEN), "rep", "opportunity.lost", "LOSE"),
    "reopen": ({"won", "lost"}, "manager", "opportunity.reopened", "REOPEN"),
}
SENTENCES = {"manager": "Only managers and admins can do this.", "rep": "Viewers can’t change records."}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=3)
CELLS = [(verb, stage, role) for verb in TABLE for stage in STAGES for role in ROLES]


def make(verb, opportunity, by):
    to = {"win": "won", "lose": "lost", "reopen": "negotiation"}.get(verb)
    if verb == "move_stage":
        to = "proposal" if opportunity.stage != "proposal" else "prospecting"
        return move_stage(rows(opportunity), to=to, by=by), to
    verbs = {"win": win, "lose": lose, "reopen": reopen}
    return verbs[verb](rows(opportunity), by=by, **({} if verb == "win" else {"reason": "because"})), to


@pytest.mark.parametrize("verb, stage, role", CELLS)
def test_a_cell(verb, stage, role, acme, actor):
    sources, lowest, event, action = TABLE[verb]
    with clock.at(NOON):
        deal = make_opportunity(stage=stage)
    by, before = actor(role), deal.stage
    if ROLES.index(role) < ROLES.index(lowest):
        with pytest.raises(NotAllowed, match=SENTENCES[lowest]):
            make(verb, deal, by)
        assert_nothing_written(by)
        return
    with clock.at(LATER):
        outcome, to = make(verb, deal, by)
    deal.refresh_from_db()
    if stage not in sources:
        here = f"Already {LABELS[stage]}." if stage == to else f"” isn’t available at {LABELS[stage]}, only at "
        assert list(outcome.refused) == [deal.pk] and here in outcome.refused[deal.pk]
        assert deal.stage == before
        assert_nothing_written(by)
        return
    assert outcome.done == [deal.pk]
    assert (deal.stage, deal.stage_since, str(deal.probability)) == (to, LATER, CHANCE[to])
    assert (deal.won_at, deal.lost_at) == (LATER if to == "won" else None, LATER if to == "lost" else None)
    reason = "because" if verb in ("lose", "reopen") else ""
    assert (deal.pk, "stage", stage, to, verb, reason) in moves(by)
    step = Transition.objects.get(change=by.change, axis="stage")
    assert (step.at, step.spent) == (LATER, timedelta(days=3))
    [entry] = [entry for entry in entries(by) if entry.entity == "opportunity"]
    assert (entry.event, entry.action, entry.person) == (event, action, deal.contact_id)
    assert (entry.old_values["stage"], entry.new_values["stage"]) == (stage, to)


@pytest.mark.parametrize("stage, becomes", [("lead", "customer"), ("qualified", "customer"), ("lost", "lost")])
def test_winning_makes_a_customer_of_the_contact_without_guards(stage, becomes, guarded, actor):
    contact = make_contact(email="", stage=stage)
    deal, by = make_opportunity("120 vans", contact=contact), actor("rep")
    win(rows(deal), by=by)
    contact.refresh_from_db()
    assert contact.lifecycle_stage == becomes
    if stage != becomes:
        steps = [(contact.pk, "lifecycle_stage", "lead", "qualified", "qualify", "120 vans")] if stage == "lead" else []
        steps.append((contact.pk, "lifecycle_stage", "qualified", "customer", "win", "120 vans"))
        assert [step for step in moves(by) if step[1] == "lifecycle_stage"] == steps
        undo(by.change, by=actor("rep"))
        contact.refresh_from_db()
        deal.refresh_from_db()
        assert (contact.lifecycle_stage, deal.stage, deal.won_at) == (stage, "prospecting", None)
        assert deal.probability == Decimal("0.1")


def test_the_contact_is_won_whoever_it_belongs_to(acme, actor, cast):
    contact = make_contact(owner=cast.outsider, team=cast.nordics)
    deal = make_opportunity(contact=contact, owner=cast.rep, team=cast.iberia)
    win(rows(deal), by=actor("rep")).or_raise()
    assert Contact.objects.get(pk=contact.pk).lifecycle_stage == "customer"


@pytest.mark.parametrize("answer, becomes", [("", "qualified"), ("lose", "lost"), ("partner", "partner")])
def test_losing_the_last_open_opportunity_moves_the_contact_as_answered(answer, becomes, acme, actor):
    contact = make_contact(stage="qualified")
    first, last = make_opportunity(contact=contact), make_opportunity(contact=contact)
    lose(rows(first), by=actor("rep"), reason="Price", contacts=answer)
    contact.refresh_from_db()
    assert contact.lifecycle_stage == "qualified"
    by = actor("rep")
    lose(rows(last), by=by, reason="Price", contacts=answer)
    contact.refresh_from_db()
    last.refresh_from_db()
    assert (contact.lifecycle_stage, last.lost_reason) == (becomes, "Price")
    undo(by.change, by=actor("rep"))
    contact.refresh_from_db()
    last.refresh_from_db()
    assert (contact.lifecycle_stage, last.stage, last.lost_reason) == ("qualified", "prospecting", "")


def test_nothing_is_lost_when_the_contact_cannot_be_moved_so(acme, actor, cast):
    contact = make_contact(owner=cast.outsider)
    deal, by = make_opportunity(contact=contact, owner=cast.rep), actor("rep")
    with pytest.raises(Refused, match="this record belongs to someone else"):
        lose(rows(deal), by=by, reason="Price", contacts="lose")
    with pytest.raises(Invalid, match="choose one of: lose, churn, partner"):
        lose(rows(deal), by=by, contacts="win")
    assert_nothing_written(by)
    assert Opportunity.objects.get(pk=deal.pk).stage == "prospecting"


def test_many_are_moved_at_once_and_each_refusal_says_why(acme, actor, cast):
    mine, won = make_opportunity(owner=cast.rep), make_opportunity(stage="won")
    theirs = make_opportunity(owner=cast.outsider)
    outcome = move_stage(rows(mine, won, theirs), to="proposal", by=actor("rep"))
    assert outcome.done == [mine.pk]
    assert outcome.refused == {
        won.pk: "“Move” isn’t available at Won, only at Prospecting, Qualification, Proposal or Negotiation.",
        theirs.pk: "View only – this record belongs to someone else.",
    }


@pytest.mark.parametrize("verb", [move_stage, reopen])
def test_a_stage_that_is_not_open_is_no_place_to_move_to(verb, acme, actor):
    deal, by = make_opportunity(stage="won" if verb is reopen else "proposal"), actor("manager")
    with pytest.raises(Invalid, match="Choose Prospecting, Qualification, Proposal or Negotiation"):
        verb(rows(deal), to="lost", by=by)
    assert_nothing_written(by)


def test_the_entry_of_a_win_holds_what_it_set(acme, actor):
    with clock.at(NOON):
        deal = make_opportunity(stage="proposal", amount="1000")
    by = actor("manager")
    with clock.at(LATER):
        win(rows(deal), by=by)
    old = {"stage": "proposal", "stage_since": NOON.isoformat(), "won_at": None}
    new = {"stage": "won", "stage_since": LATER.isoformat(), "won_at": LATER.isoformat()}
    old |= {"stage_kind": "open", "probability": "0.5000"}
    new |= {"stage_kind": "won", "probability": "1.0000"}
    assert_entry(by, deal, "opportunity.won", "WIN", old=old, new=new, person=deal.contact_id)
