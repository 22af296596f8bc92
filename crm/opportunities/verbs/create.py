"""Create opportunities."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from contacts.models import Contact
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.opportunities.axes import OPEN, PROBABILITY, STAGE
from crm.opportunities.contacts import lock_contacts
from crm.opportunities.models import Opportunity
from crm.records.verbs.create_records import create_records
from crm.records.writing import build


@transaction.atomic
def create(opportunities: Sequence[Mapping[str, Any]], *, by: Actor, stage: str = "prospecting") -> Outcome:
    """Create an opportunity at an open `stage` for each mapping of field → value; all of them or none.

    Defaults: the creator as owner, the contact's company and team, the workspace's currency, the stage's probability.
    Raises Invalid with a message per field, NotAllowed for a viewer.
    """
    if stage not in OPEN:
        raise Invalid({"stage": _("New opportunities start at {stages}.").format(stages=STAGE.names(OPEN))})

    def make(wanted: list[dict[str, Any]]) -> list[Opportunity]:
        people = lock_contacts({values["contact"] for values in wanted if values.get("contact")})
        return [_build(values, people.get(values.get("contact", 0)), stage, by) for values in wanted]

    return create_records(Opportunity, opportunities, by=by, make=make)


def _build(values: dict[str, Any], contact: Contact | None, stage: str, by: Actor) -> Opportunity:
    if contact is None:
        raise Invalid({"contact": _("Choose a contact.")})
    defaults = {"company": contact.company_id, "team": contact.team_id, "currency": workspace().currency}
    facts = defaults | {"probability": PROBABILITY[stage]} | values
    opportunity = build(Opportunity, facts, by)
    opportunity.stage = stage
    return opportunity
