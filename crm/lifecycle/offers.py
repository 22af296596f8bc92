"""What can be done now with one record: the moves of its axis, each allowed or with the sentence that refuses it."""

from dataclasses import dataclass

from crm.conditions.compile import Viewer
from crm.conditions.condition import explain_many
from crm.kit import clock
from crm.kit.actor import Actor
from crm.lifecycle.axes import Axis, Move
from crm.lifecycle.guards import rules
from crm.lifecycle.move import elsewhere


@dataclass(frozen=True)
class Offer:
    """A move and why it cannot be made now ('' when it can); `evidence`: each leaf of its guards with its value."""

    move: Move
    why_not: str
    evidence: tuple = ()

    @property
    def allowed(self) -> bool:
        """Whether the move can be made now."""
        return not self.why_not


def offers(record, axis: Axis, *, by: Actor, editable: bool) -> list[Offer]:
    """The moves that the actor's role includes, in the order of the axis; one statement for all guards."""
    here = getattr(record, axis.field)
    within = [move for move in axis.moves if by.is_at_least(move.role)]
    guards = [rule for rule in rules(axis.entity) if any(m.verb == rule.verb and here in m.sources for m in within)]
    leaves = _explained(record, guards, by)
    return [_offer(move, axis, here, guards, leaves, editable) for move in within]


def _explained(record, guards, by: Actor) -> dict:
    if not guards:
        return {}
    conditions = {rule.message: rule.condition for rule in guards}
    viewer = Viewer(by.member_id, by.team_id)
    return explain_many(conditions, type(record).objects.all(), record.pk, viewer, clock.now())


def _offer(move: Move, axis: Axis, here: str, guards, leaves, editable: bool) -> Offer:
    if here not in move.sources:
        return Offer(move, elsewhere(axis, move, here))
    own = [rule.message for rule in guards if rule.verb == move.verb]
    evidence = tuple(leaf for message in own for leaf in leaves[message])
    why_not = next((message for message in own if not _holds(leaves[message])), "")
    return Offer(move, why_not if editable else "This record belongs to somebody else.", evidence)


def _holds(lines) -> bool:
    return all(line.ok for line in lines if line.depth == 0)
