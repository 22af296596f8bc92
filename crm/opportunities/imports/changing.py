"""Opportunities that are there already: what a row changes about them, and where it moves them."""

from collections.abc import Mapping, Sequence
from typing import Any

from contacts.fields import apply_each
from contacts.imports.companies import to_change
from contacts.models import Company
from crm.kit.actor import Actor
from crm.lists.imports.registry import Refused
from crm.lists.models import ImportRun, OnMatch
from crm.opportunities.imports.creating import NOT_VALUES
from crm.opportunities.imports.matching import Match
from crm.opportunities.imports.outcomes import wanted_stage
from crm.opportunities.imports.stages import Step, refusals, take_steps

SAYS_STAGE = {"stage", "won_at", "lost_at"}


def change_each(
    matches: Sequence[Match], named: Mapping[int, Company], run: ImportRun, by: Actor
) -> tuple[set[int], Refused]:
    """Change and move the opportunities (locked) that differ from their rows: the lines that did, and those refused."""
    changes = [(found, _changes(found, named, run.on_match)) for found in matches]
    steps = [Step(found.opportunity, found.row) for found in matches if _moves(found, run.on_match)]
    refused = refusals(steps, run)
    if not refused:
        apply_each([(found.opportunity, values) for found, values in changes if values], by=by)
        take_steps(steps, run, by)
    return {found.row.line for found, values in changes if values} | {step.row.line for step in steps}, refused


def _changes(found: Match, named: Mapping[int, Company], on_match: str) -> dict[str, Any]:
    said = {key: value for key, value in found.row.own.items() if key not in NOT_VALUES}
    if found.contact:
        said["contact"] = found.contact
    if company := named.get(found.row.line):
        said["company"] = company
    return to_change(found.opportunity, said, on_match)


def _moves(found: Match, on_match: str) -> bool:
    own = found.row.own
    return on_match == OnMatch.UPDATE and bool(own.keys() & SAYS_STAGE) and wanted_stage(own) != found.opportunity.stage
