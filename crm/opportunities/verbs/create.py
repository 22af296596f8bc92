"""Create opportunities."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from contacts.models import Contact
from crm.entities.requirements import needed_at
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.contacts import lock_contacts
from crm.opportunities.models import Opportunity, StageKind
from crm.opportunities.pipelines import first_stage, stage_facts
from crm.opportunities.pipelines import stage as stage_named
from crm.records.verbs.create_records import create_records
from crm.records.writing import build


@transaction.atomic
def create(opportunities: Sequence[Mapping[str, Any]], *, by: Actor, stage: str = "", complete: bool = True) -> Outcome:
    """Create an opportunity at an open `stage` for each mapping of field → value; all of them or none.

    Without a stage they start at the first of the default pipeline. `complete`: refuse one without the fields that the
    stage requires; a converted lead has none of them yet. Each has a contact, a company or both. Defaults: the creator
    as owner, the contact's company and team, the workspace's currency, the stage's probability. Raises Invalid with a
    message per field, NotAllowed for a viewer.
    """
    stage = stage or first_stage(StageKind.OPEN).key
    if stage not in OPEN:
        raise Invalid({"stage": _("New opportunities start at {stages}.").format(stages=STAGE.names(OPEN))})

    def make(wanted: list[dict[str, Any]]) -> list[Opportunity]:
        people = lock_contacts(values["contact"] for values in wanted if values.get("contact"))
        if complete:
            _check_needed(wanted, stage)
        return [_build(values, people.get(values.get("contact", 0)), stage, by) for values in wanted]

    return create_records(Opportunity, opportunities, by=by, make=make)


def _check_needed(wanted: Sequence[Mapping[str, Any]], stage: str) -> None:
    sentence, needed = _("{field} is required."), needed_at("opportunity", stage)
    for values in wanted:
        absent = [field for field in needed if values.get(f"custom.{field.key}") in (None, "", [])]
        if absent:
            raise Invalid({field.key: sentence.format(field=field.label) for field in absent})


def _build(values: dict[str, Any], contact: Contact | None, stage: str, by: Actor) -> Opportunity:
    if contact is None and not values.get("company"):
        raise Invalid({"contact": _("Choose a contact or a company.")})
    defaults: dict[str, Any] = {"currency": workspace().currency}
    if contact:
        defaults |= {"company": contact.company_id, "team": contact.team_id}
    follows = stage_facts(stage)
    opportunity = build(Opportunity, defaults | {"probability": follows["probability"]} | values, by)
    opportunity.pipeline, opportunity.stage = stage_named(stage).pipeline, stage
    opportunity.stage_kind = follows["stage_kind"]
    return opportunity
