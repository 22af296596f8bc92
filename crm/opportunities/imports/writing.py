"""Writing of imported opportunities: new ones starting at the first stage, changes, and moves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from audit import values as audited
from audit.record import LogRow, record_rows
from contacts.models import Company, Contact
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.ids import new_ids
from crm.kit.scope import workspace
from crm.kit.sql import as_stored, insert_rows, next_ids
from crm.lifecycle.axes import wrong_stage_message
from crm.lifecycle.dated_moves import DatedMove, move_rows
from crm.lifecycle.transitions import write_first_transition
from crm.lists.imports.registry import IncomingRow, Refused
from crm.lists.models import ImportRun, OnMatch
from crm.opportunities import pipelines
from crm.opportunities.axes import STAGE, verb_to
from crm.opportunities.imports.matching import OpportunityMatch
from crm.opportunities.imports.outcomes import closed_at, kind_from_row, stage_from_row
from crm.opportunities.models import Opportunity, StageKind
from crm.opportunities.pipelines import first_stage, stage_facts
from crm.records.imports import to_change
from crm.records.writing import apply_each, assign, columns

COLUMNS = [f.attname for f in Opportunity._meta.concrete_fields if f.name != "workspace"]
TOLD = [*(key for key in columns(Opportunity) if key != "custom"), "pipeline", "stage", "stage_kind"]
NOT_VALUES = {"contact", "company", "pipeline", "stage", "won_at", "lost_at", "lost_reason", "created_at"}

as_row = attrgetter(*COLUMNS)
told = attrgetter(*(audited.model_field(Opportunity, key).attname for key in TOLD))


def create_each(matches: Sequence[OpportunityMatch], named: Mapping[int, Company], run: ImportRun, by: Actor) -> None:
    """Create an opportunity per row, with entry, event and transitions, with the file's dates.

    `named`: line → company. Raises IntegrityError if another record has taken the external id.
    """
    if not matches:
        return
    ids, public_ids = next_ids(Opportunity, len(matches)), new_ids("opp", len(matches))
    made = []
    for found, pk, public_id in zip(matches, ids, public_ids, strict=True):
        found.opportunity = opportunity = _build(found.row.own, found.contact, named.get(found.row.line), by)
        opportunity.pk, opportunity.public_id = pk, public_id
        made.append(opportunity)
    insert_rows(Opportunity, COLUMNS, (tuple(map(as_stored, as_row(opportunity))) for opportunity in made))
    write_first_transition(Opportunity, ids, STAGE, "import", by=by)
    record_rows("opportunity.created", [_fact(opportunity) for opportunity in made], by=by)
    closed = (found for found in matches if kind_from_row(found.row.own) != StageKind.OPEN)
    take_steps([OpportunityStageMove(found.opportunity, found.row) for found in closed if found.opportunity], run, by)


def _build(own: dict[str, Any], contact: Contact | None, company: Company | None, by: Actor) -> Opportunity:
    stage = pipelines.stage(stage_from_row(own))
    if stage.kind != StageKind.OPEN:
        stage = first_stage(StageKind.OPEN, stage.pipeline)
    at = own.get("created_at") or min(clock.now(), closed_at(own) or clock.now())
    whose = contact or company
    opportunity = Opportunity(workspace_id=by.workspace_id, owner_id=by.member_id, contact=contact)
    opportunity.company_id = company.pk if company else None
    opportunity.currency = workspace().currency
    if whose:
        opportunity.owner_id, opportunity.team_id = by.member_id or whose.owner_id, whose.team_id
    if contact and not company:
        opportunity.company_id = contact.company_id
    opportunity.pipeline, opportunity.stage = stage.pipeline, stage.key
    opportunity.stage_kind, opportunity.probability = stage.kind, stage.probability
    opportunity.stage_since = opportunity.created_at = opportunity.updated_at = at
    assign(opportunity, {key: value for key, value in own.items() if key not in NOT_VALUES})
    opportunity.derive()
    return opportunity


def _fact(opportunity: Opportunity) -> LogRow:
    pairs = zip(TOLD, told(opportunity), strict=True)
    new = {key: audited.to_log(value) for key, value in pairs if value not in (None, "")}
    at = as_stored(opportunity.created_at)
    return LogRow(opportunity.pk, opportunity.contact_id, None, new | {"custom": opportunity.custom}, at)


def change_each(
    matches: Sequence[OpportunityMatch], named: Mapping[int, Company], run: ImportRun, by: Actor
) -> tuple[set[int], Refused]:
    """Change and move locked opportunities that differ from their rows; return changed and rejected lines."""
    there = [(found, found.opportunity) for found in matches if found.opportunity]
    changes = [(found.row, record, _changes(found, record, named, run.on_match)) for found, record in there]
    steps = [
        OpportunityStageMove(record, found.row)
        for found, record in there
        if _moves(found.row.own, record, run.on_match)
    ]
    refused = refusals(steps, run)
    if not refused:
        apply_each([(record, values) for _, record, values in changes if values], by=by)
        take_steps(steps, run, by)
    return {row.line for row, _, values in changes if values} | {step.row.line for step in steps}, refused


def _changes(
    found: OpportunityMatch, record: Opportunity, named: Mapping[int, Company], on_match: str
) -> dict[str, Any]:
    said = {key: value for key, value in found.row.own.items() if key not in NOT_VALUES}
    if found.contact:
        said["contact"] = found.contact
    if not _ends_open(found.row.own, record):
        said.pop("probability", None)  # closed opportunities have their stage's probability
    if company := named.get(found.row.line):
        said["company"] = company
    return to_change(record, said, on_match)


def _ends_open(own: dict[str, Any], record: Opportunity) -> bool:
    return kind_from_row(own, record) == StageKind.OPEN


def _moves(own: dict[str, Any], record: Opportunity, on_match: str) -> bool:
    return on_match == OnMatch.UPDATE and stage_from_row(own, record) != record.stage


class OpportunityStageMove(NamedTuple):
    """A locked opportunity, and the row that moves it to another stage."""

    opportunity: Opportunity
    row: IncomingRow


def refusals(steps: Sequence[OpportunityStageMove], run: ImportRun) -> Refused:
    """Return rejected moves: closed opportunities stay closed without an override reason."""
    if run.override_reason:
        return {}
    return {step.row.line: (str(STAGE.label), _why_closed(step)) for step in steps if not step.opportunity.is_open}


def _why_closed(step: OpportunityStageMove) -> str:
    move = STAGE.by_verb[verb_to(stage_from_row(step.row.own, step.opportunity))]
    return wrong_stage_message(STAGE, move, step.opportunity.stage)


def take_steps(steps: Sequence[OpportunityStageMove], run: ImportRun, by: Actor) -> None:
    """Move each opportunity to its row's stage; with an override reason, as a warning."""
    groups: defaultdict[str, list[DatedMove]] = defaultdict(list)
    for step in steps:
        groups[_verb(step)].append(_dated(step))
    for verb, moved in groups.items():
        move = STAGE.by_verb[verb]
        severity = "warning" if run.override_reason else move.severity
        move_rows(STAGE, moved, verb=verb, event=move.event, by=by, reason=run.override_reason, severity=severity)


def _verb(step: OpportunityStageMove) -> str:
    stage = pipelines.stage(stage_from_row(step.row.own, step.opportunity))
    if stage.kind != StageKind.OPEN:
        return verb_to(stage.key)
    if not step.opportunity.is_open:
        return "reopen"
    return "move_stage" if stage.pipeline == step.opportunity.pipeline else "change_pipeline"


def _dated(step: OpportunityStageMove) -> DatedMove:
    own = step.row.own
    to, at = pipelines.stage(stage_from_row(own, step.opportunity)), closed_at(own) or clock.now()
    is_open = to.kind == StageKind.OPEN
    also: dict[str, Any] = {"won_at": None, "lost_at": None, "lost_reason": ""} | stage_facts(to.key)
    also |= {"pipeline": to.pipeline}
    also |= {"probability": own["probability"]} if is_open and "probability" in own else {}
    also |= {"won": {"won_at": at}, "lost": {"lost_at": at, "lost_reason": own.get("lost_reason", "")}}.get(to.kind, {})
    return DatedMove(step.opportunity, to.key, at, also)
