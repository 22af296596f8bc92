"""Every cell of the contact lifecycle: each verb, at each stage, by each role, against a table written here.

The table is copied from DESIGN 1.1 by hand: it must not be read from the tested code.
"""

from datetime import UTC, datetime, timedelta

import pytest

from contacts.axes import LIFECYCLE
from contacts.models import Contact
from contacts.moves import VERBS
from contacts.verbs.override import override
from crm.kit import clock
from crm.kit.errors import Invalid, NotAllowed
from crm.lifecycle.models import Transition
from crm.lifecycle.offers import offers
from crm.users.visibility import may_edit
from tests.factories import make_contact, rows
from tests.log import assert_entry, assert_nothing_written, entries, moves

STAGES = ("lead", "qualified", "customer", "lost", "churned", "partner")
ROLES = ("viewer", "rep", "manager", "admin")
# verb: (from, to, lowest role, whether a reason is required, event, action)
TABLE = {
    "qualify": ({"lead"}, "qualified", "rep", False, "contact.qualified", "QUALIFY"),
    "lose": ({"lead", "qualified"}, "lost", "rep", False, "contact.lost", "LOSE"),
    "win": ({"qualified"}, "customer", "rep", False, "contact.won", "WIN"),
    "churn": ({"customer"}, "churned", "rep", False, "contact.churned", "CHURN"),
    "partner": ({"lead", "qualified", "customer"}, "partner", "rep", True, "contact.partnered", "PARTNER"),
    "reopen": ({"lost", "churned"}, "lead", "manager", True, "contact.reopened", "REOPEN"),
}
LABELS = {stage: stage.title() for stage in STAGES}
NAMES = {
    "qualify": "Qualify",
    "lose": "Mark as lost",
    "win": "Mark as customer",
    "churn": "Mark as churned",
    "partner": "Mark as partner",
    "reopen": "Reopen",
}
SENTENCES = {"manager": "Only managers and admins can do this.", "rep": "Viewers can’t change records."}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CELLS = [(verb, stage, role) for verb in TABLE for stage in STAGES for role in ROLES]


def reaches(role: str, lowest: str) -> bool:
    return ROLES.index(role) >= ROLES.index(lowest)


def refusal(verb: str, stage: str) -> str:
    sources, target, *_ = TABLE[verb]
    if stage == target:
        return f"Already {LABELS[stage]}."
    *first, last = [LABELS[source] for source in STAGES if source in sources]
    ordered = f"{', '.join(first)} or {last}" if first else last
    return f"“{NAMES[verb]}” isn’t available at {LABELS[stage]}, only at {ordered}."


def standing_at(stage: str) -> Contact:
    with clock.at(NOON):
        return make_contact(stage=stage)


@pytest.mark.parametrize("verb, stage, role", CELLS)
def test_a_cell(verb, stage, role, acme, actor):
    sources, target, lowest, _, event, action = TABLE[verb]
    contact, by = standing_at(stage), actor(role)
    if not reaches(role, lowest):
        with pytest.raises(NotAllowed, match=SENTENCES[lowest]):
            VERBS[verb](rows(contact), by=by, reason="because")
        return assert_nothing_written(by)
    with clock.at(NOON + timedelta(days=3)):
        outcome = VERBS[verb](rows(contact), by=by, reason="because")
    contact.refresh_from_db()
    if stage not in sources:
        assert outcome.refused == {contact.pk: refusal(verb, stage)}
        assert contact.lifecycle_stage == stage
        return assert_nothing_written(by)
    assert outcome.done == [contact.pk]
    assert (contact.lifecycle_stage, contact.lifecycle_stage_since) == (target, NOON + timedelta(days=3))
    assert moves(by) == [(contact.pk, "lifecycle_stage", stage, target, verb, "because")]
    old = {"lifecycle_stage": stage, "lifecycle_stage_since": "2026-03-01T12:00:00+00:00"}
    new = {"lifecycle_stage": target, "lifecycle_stage_since": "2026-03-04T12:00:00+00:00"}
    return assert_entry(by, contact, event, action, old=old, new=new, note="because")


@pytest.mark.parametrize("to", STAGES)
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("role", ROLES)
def test_an_override_goes_anywhere_with_a_warning(role, stage, to, acme, actor):
    contact, by = standing_at(stage), actor(role)
    if not reaches(role, "manager"):
        with pytest.raises(NotAllowed, match=SENTENCES["manager"]):
            override(rows(contact), to=to, by=by, reason="signed on paper")
        return assert_nothing_written(by)
    outcome = override(rows(contact), to=to, by=by, reason="signed on paper")
    contact.refresh_from_db()
    assert contact.lifecycle_stage == to
    if stage == to:
        assert outcome.refused == {contact.pk: f"Already {LABELS[to]}."}
        return assert_nothing_written(by)
    [entry] = entries(by)
    assert (entry.event, entry.severity, entry.note) == ("contact.overridden", "warning", "signed on paper")
    return None


@pytest.mark.once
@pytest.mark.parametrize("verb, stage, role", CELLS)
def test_what_is_offered_is_what_the_verb_does(verb, stage, role, acme, actor):
    contact, by = standing_at(stage), actor(role)
    offered = {o.move.verb: o for o in offers(contact, LIFECYCLE, by=by, editable=may_edit(contact, by))}
    sources, _, lowest, needs_reason, *_ = TABLE[verb]
    if not reaches(role, lowest):
        assert verb not in offered
        return
    outcome = VERBS[verb](rows(contact), by=by, reason="because")
    assert offered[verb].allowed == bool(outcome.done)
    assert offered[verb].why_not == next(iter(outcome.refused.values()), "")
    assert offered[verb].is_next <= (stage in sources and not needs_reason)


@pytest.mark.parametrize("verb", [verb for verb, (*_, needed, _, _) in TABLE.items() if needed])
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_reason_that_is_needed_is_asked_for(verb, reason, acme, actor):
    contact, by = standing_at(min(TABLE[verb][0])), actor("manager")
    with pytest.raises(Invalid) as error:
        VERBS[verb](rows(contact), by=by, reason=reason)
    assert error.value.errors == {"reason": "Enter a reason."}
    assert_nothing_written(by)


@pytest.mark.parametrize("verb", ["lose", "churn"])
def test_a_reason_that_is_only_asked_for_may_be_missing(verb, acme, actor):
    contact = standing_at(min(TABLE[verb][0]))
    assert VERBS[verb](rows(contact), by=actor("rep"), reason="").done == [contact.pk]


def test_an_override_needs_a_reason_and_a_stage_that_is_one(acme, actor):
    contact, by = standing_at("lead"), actor("admin")
    with pytest.raises(Invalid, match="Enter a reason"):
        override(rows(contact), to="customer", by=by, reason=" ")
    with pytest.raises(Invalid, match="“won” isn’t a lifecycle stage"):
        override(rows(contact), to="won", by=by, reason="signed")
    assert_nothing_written(by)


def test_a_transition_says_when_how_long_who_and_how(acme, cast, actor):
    contact, by = standing_at("lead"), actor("rep")
    moment = NOON + timedelta(days=2, hours=5)
    before = datetime.now(UTC)
    with clock.at(moment):
        VERBS["qualify"](rows(contact), by=by, reason="")
    transition = Transition.objects.get(change=by.change)
    assert (transition.at, transition.spent) == (moment, timedelta(days=2, hours=5))
    assert before <= transition.recorded_at <= datetime.now(UTC)
    assert (transition.member_id, transition.channel, transition.entity) == (cast.rep.pk, "web", "contact")


def test_many_move_together_and_the_others_say_why(acme, actor):
    lead, customer, lost = (standing_at(stage) for stage in ("lead", "customer", "lost"))
    by = actor("rep")
    outcome = VERBS["qualify"](rows(lead, customer, lost), by=by, reason="")
    assert outcome.done == [lead.pk]
    assert outcome.refused == {
        customer.pk: "“Qualify” isn’t available at Customer, only at Lead.",
        lost.pk: "“Qualify” isn’t available at Lost, only at Lead.",
    }
    assert [move[0] for move in moves(by)] == [entry.entity_id for entry in entries(by)] == [lead.pk]
