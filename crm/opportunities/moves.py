"""The verbs of the stages by where they lead, for pages and bulk actions that are told where to."""

from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.win import win
from crm.users.visibility import RecordQuerySet

VERB_TO = {"won": "win", "lost": "lose"}  # any other stage: move_stage


def move_to(opportunities: RecordQuerySet, to: str, *, by: Actor, reason: str = "", contacts: str = "") -> Outcome:
    """Move open opportunities to any stage, by its verb; `reason` and `contacts` as lose() takes them."""
    if to == "won":
        return win(opportunities, by=by)
    if to == "lost":
        return lose(opportunities, by=by, reason=reason, contacts=contacts)
    return move_stage(opportunities, to, by=by)
