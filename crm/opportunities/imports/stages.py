"""The moves of opportunities that a file asks for, each at the time that the file gives."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from crm.kit import clock
from crm.kit.actor import Actor
from crm.lifecycle.move import DatedMove, move_rows, wrong_stage_message
from crm.lists.imports.registry import Incoming, Refused
from crm.lists.models import ImportRun
from crm.opportunities.axes import OPEN, PROBABILITY, STAGE, verb_to
from crm.opportunities.imports.outcomes import closed_at, wanted_stage
from crm.opportunities.models import Opportunity


class Step(NamedTuple):
    """An opportunity (locked), and the row that wants it at another stage."""

    opportunity: Opportunity
    row: Incoming


def refusals(steps: Sequence[Step], run: ImportRun) -> Refused:
    """Who cannot be moved: what is won or lost stays so, but for a run that has a reason to override it."""
    if run.override_reason:
        return {}
    return {
        step.row.line: (STAGE.label, wrong_stage_message(STAGE, STAGE.move(_verb(step)), step.opportunity.stage))
        for step in steps
        if step.opportunity.stage not in OPEN
    }


def take_steps(steps: Sequence[Step], run: ImportRun, by: Actor) -> None:
    """Move each opportunity to the stage that its row says; with a reason to override, as a warning."""
    groups: defaultdict[str, list[DatedMove]] = defaultdict(list)
    for step in steps:
        verb = "reopen" if step.opportunity.stage not in OPEN and _verb(step) == "move_stage" else _verb(step)
        groups[verb].append(_dated(step))
    for verb, moved in groups.items():
        move = STAGE.move(verb)
        severity = "warning" if run.override_reason else move.severity
        move_rows(STAGE, moved, verb=verb, event=move.event, by=by, reason=run.override_reason, severity=severity)


def _verb(step: Step) -> str:
    return verb_to(wanted_stage(step.row.own))


def _dated(step: Step) -> DatedMove:
    own = step.row.own
    to, at = wanted_stage(own), closed_at(own) or clock.now()
    likely = own.get("probability", PROBABILITY[to]) if to in OPEN else PROBABILITY[to]
    also: dict[str, Any] = {"probability": likely, "won_at": None, "lost_at": None, "lost_reason": ""}
    also |= {"won": {"won_at": at}, "lost": {"lost_at": at, "lost_reason": own.get("lost_reason", "")}}.get(to, {})
    return DatedMove(step.opportunity, to, at, also)
