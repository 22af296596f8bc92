"""Opportunities that are there already: what a row changes about them, and where it moves them."""

from collections.abc import Mapping, Sequence
from typing import Any

from contacts.imports.companies import to_change
from contacts.models import Company
from crm.kit.actor import Actor
from crm.lists.imports.registry import Refused
from crm.lists.models import ImportRun, OnMatch
from crm.opportunities.axes import OPEN
from crm.opportunities.imports.creating import NOT_VALUES
from crm.opportunities.imports.matching import Match
from crm.opportunities.imports.outcomes import wanted_stage
from crm.opportunities.imports.stages import Step, refusals, take_steps
from crm.opportunities.models import Opportunity
from crm.records.writing import apply_each

SAYS_STAGE = {"stage", "won_at", "lost_at"}


def change_each(
    matches: Sequence[Match], named: Mapping[int, Company], run: ImportRun, by: Actor
) -> tuple[set[int], Refused]:
    """Change and move the opportunities (locked) that differ from their rows: the lines that did, and those refused."""
    there = [(found, found.opportunity) for found in matches if found.opportunity]
    changes = [(found.row, record, _changes(found, record, named, run.on_match)) for found, record in there]
    steps = [Step(record, found.row) for found, record in there if _moves(found.row.own, record, run.on_match)]
    refused = refusals(steps, run)
    if not refused:
        apply_each([(record, values) for _, record, values in changes if values], by=by)
        take_steps(steps, run, by)
    return {row.line for row, _, values in changes if values} | {step.row.line for step in steps}, refused


def _changes(found: Match, record: Opportunity, named: Mapping[int, Company], on_match: str) -> dict[str, Any]:
    said = {key: value for key, value in found.row.own.items() if key not in NOT_VALUES}
    if found.contact:
        said["contact"] = found.contact
    if not _ends_open(found.row.own, record):
        said.pop("probability", None)  # what is won or lost has that of its stage
    if company := named.get(found.row.line):
        said["company"] = company
    return to_change(record, said, on_match)


def _ends_open(own: dict[str, Any], record: Opportunity) -> bool:
    return (wanted_stage(own) if own.keys() & SAYS_STAGE else record.stage) in OPEN


def _moves(own: dict[str, Any], record: Opportunity, on_match: str) -> bool:
    return on_match == OnMatch.UPDATE and bool(own.keys() & SAYS_STAGE) and wanted_stage(own) != record.stage
