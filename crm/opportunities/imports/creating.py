"""New opportunities: those that were won or lost begin at Prospecting and are moved at the time that the file says."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from audit import values as audited
from audit.record import LogRow, record_rows
from contacts.models import Company, Contact
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.ids import new_ids
from crm.kit.scope import workspace
from crm.kit.sql import as_stored, insert_rows, next_ids
from crm.lifecycle.move import write_first_transition
from crm.lists.models import ImportRun
from crm.opportunities.axes import OPEN, PROBABILITY, STAGE
from crm.opportunities.imports.matching import Match
from crm.opportunities.imports.outcomes import closed_at, wanted_stage
from crm.opportunities.imports.stages import Step, take_steps
from crm.opportunities.models import Opportunity
from crm.records.writing import assign, columns

COLUMNS = [f.attname for f in Opportunity._meta.concrete_fields if f.name != "workspace"]
TOLD = [*(key for key in columns(Opportunity) if key != "custom"), "stage"]
NOT_VALUES = {"contact", "company", "stage", "won_at", "lost_at", "lost_reason", "created_at"}

as_row = attrgetter(*COLUMNS)
told = attrgetter(*(audited.model_field(Opportunity, key).attname for key in TOLD))


def create_each(matches: Sequence[Match], named: Mapping[int, Company], run: ImportRun, by: Actor) -> None:
    """Make an opportunity of each row, with its entry, event and transitions, dated by the file.

    `named`: line → company. Raises IntegrityError when somebody else has the external id by now.
    """
    if not matches:
        return
    ids, public_ids = next_ids(Opportunity, len(matches)), new_ids("opp", len(matches))
    people = [found.contact for found in matches if found.contact]
    made = []
    for found, contact, pk, public_id in zip(matches, people, ids, public_ids, strict=True):
        found.opportunity = opportunity = _build(found.row.own, contact, named.get(found.row.line), by)
        opportunity.pk, opportunity.public_id = pk, public_id
        made.append(opportunity)
    insert_rows(Opportunity, COLUMNS, (tuple(map(as_stored, as_row(opportunity))) for opportunity in made))
    write_first_transition(Opportunity, ids, STAGE, "import", by=by)
    record_rows("opportunity.created", [_fact(opportunity) for opportunity in made], by=by)
    closed = (found for found in matches if wanted_stage(found.row.own) not in OPEN)
    take_steps([Step(found.opportunity, found.row) for found in closed if found.opportunity], run, by)


def _build(own: dict[str, Any], contact: Contact, company: Company | None, by: Actor) -> Opportunity:
    stage = wanted_stage(own)
    at = own.get("created_at") or min(clock.now(), closed_at(own) or clock.now())
    opportunity = Opportunity(workspace_id=by.workspace_id, owner_id=by.member_id or contact.owner_id, contact=contact)
    opportunity.company_id = company.pk if company else contact.company_id
    opportunity.team_id, opportunity.currency = contact.team_id, workspace().currency
    opportunity.stage = stage if stage in OPEN else OPEN[0]
    opportunity.probability = PROBABILITY[opportunity.stage]
    opportunity.stage_since = opportunity.created_at = opportunity.updated_at = at
    assign(opportunity, {key: value for key, value in own.items() if key not in NOT_VALUES})
    opportunity.derive()
    return opportunity


def _fact(opportunity: Opportunity) -> LogRow:
    pairs = zip(TOLD, told(opportunity), strict=True)
    new = {key: audited.to_json(value) for key, value in pairs if value not in (None, "")}
    at = as_stored(opportunity.created_at)
    return LogRow(opportunity.pk, opportunity.contact_id, None, new | {"custom": opportunity.custom}, at)
