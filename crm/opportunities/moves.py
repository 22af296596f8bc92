"""Moves by target stage, for bulk actions and workflows, which know no verb."""

from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.win import win
from crm.users.visibility import RecordQuerySet


def move_to(opportunities: RecordQuerySet, *, to: str, by: Actor, reason: str = "", contacts: str = "") -> Outcome:
    """Move open opportunities to any stage by its verb; `contacts` as in lose()."""
    if to == "won":
        return win(opportunities, by=by, reason=reason)
    if to == "lost":
        return lose(opportunities, by=by, reason=reason, contacts=contacts)
    return move_stage(opportunities, to=to, by=by, reason=reason)
