"""Available moves of a record along an axis, each allowed or with the reason against it."""

from dataclasses import dataclass, replace

from crm.conditions.compile import Viewer
from crm.conditions.explain import explain_record
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _
from crm.kit.translation import translated
from crm.lifecycle.axes import Axis, Move, Reason, wrong_stage_message
from crm.lifecycle.guards import Rule, UnreadableGuard, field_rules, rules, unreadable_guards


@dataclass(frozen=True)
class OfferedMove:
    """A move, and why it is blocked ('' if allowed); `evidence`: each leaf of its guards with its value.

    `asks`: it has a form to fill in first, for a reason or for one of several targets.
    """

    move: Move
    why_not: str
    to: str  # the target's label, '' if the target is chosen
    is_near: bool  # starts here, or one legal move away
    evidence: tuple = ()
    unread: tuple[UnreadableGuard, ...] = ()  # its guards that are not enforced
    asks: bool = False

    @property
    def allowed(self) -> bool:
        return not self.why_not

    @property
    def is_next(self) -> bool:
        """Whether to offer it first: allowed, and without anything to enter."""
        return self.allowed and not self.asks


def offers(record, axis: Axis, *, by: Actor, editable: bool) -> list[OfferedMove]:
    """Return the moves included in the actor's role, in order of the axis; one statement for all guards."""
    value = getattr(record, axis.field)
    within = [move for move in axis.moves if by.is_at_least(move.role) and not move.by_rule]
    guards = [rule for rule in rules(axis.entity) if any(m.verb == rule.verb and value in m.sources for m in within)]
    guards += _needed(axis, within, value)
    leaves = _explained(record, guards, by)
    return [_offer(move, axis, value, guards, leaves, editable) for move in within]


def _needed(axis: Axis, moves: list[Move], here: str) -> list[Rule]:
    """Return a rule per field that the single target of a move needs; several targets are checked once chosen."""
    targets = [(move, axis.target_of(move, here)) for move in moves if here in move.sources]
    return [
        replace(rule, verb=move.verb, key=f"{move.verb} {rule.key}")
        for move, target in targets
        if target
        for rule in field_rules(axis, target.value)
    ]


def _explained(record, guards, by: Actor) -> dict:
    if not guards:
        return {}
    conditions = {rule.key: rule.condition for rule in guards}
    return explain_record(conditions, record, Viewer(by.member_id, by.team_id))


def _offer(move: Move, axis: Axis, here: str, guards, leaves, editable: bool) -> OfferedMove:
    target = axis.target_of(move, here)
    to = target.label if target else ""
    if here not in move.sources:
        return OfferedMove(move, wrong_stage_message(axis, move, here), to, _is_one_away(axis, move, here))
    own = [rule for rule in guards if rule.verb == move.verb]
    evidence = tuple(leaf for rule in own for leaf in leaves[rule.key])
    why_not = next((translated(rule.message) for rule in own if not _holds(leaves[rule.key])), "")
    skipped = tuple(guard for guard in unreadable_guards(axis.entity) if guard.verb == move.verb)
    if target is None and not axis.reachable(move, here):
        why_not = _("There’s no stage in use to move to.")
    if not editable:
        why_not = _("View only – you can’t edit this record.")
    asks = move.reason != Reason.NO or target is None
    return OfferedMove(move, why_not, to, True, evidence, skipped, asks)


def _is_one_away(axis: Axis, move: Move, here: str) -> bool:
    forward = [step.target for step in axis.moves_from(here) if step.reason == Reason.NO]
    return move.reason == Reason.NO and any(target in move.sources for target in forward)


def _holds(lines) -> bool:
    return all(line.ok for line in lines if line.depth == 0)
