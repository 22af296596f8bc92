"""Moves by target stage, for bulk actions and workflows, which know no verb."""

from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.opportunities.axes import verb_to
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.win import win
from crm.users.visibility import RecordQuerySet


def move_to(opportunities: RecordQuerySet, *, to: str, by: Actor, reason: str = "", contacts: str = "") -> Outcome:
    """Move open opportunities to any stage by its verb; `contacts` as in lose()."""
    verb = verb_to(to)
    if verb == "win":
        return win(opportunities, by=by, reason=reason, to=to)
    if verb == "lose":
        return lose(opportunities, by=by, reason=reason, to=to, contacts=contacts)
    return move_stage(opportunities, to=to, by=by, reason=reason)
