"""Open opportunities."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.db import IntegrityError, transaction

from audit.record import record
from contacts.duplicates import taken
from contacts.fields import build, columns, validate
from contacts.models import Contact
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.scope import workspace
from crm.lifecycle.move import write_first_transition
from crm.opportunities.axes import OPEN, PROBABILITY, STAGE
from crm.opportunities.contacts import lock_contacts
from crm.opportunities.models import Opportunity


@transaction.atomic
def create(opportunities: Sequence[Mapping[str, Any]], *, by: Actor, stage: str = "prospecting") -> Outcome:
    """Open an opportunity at an open `stage` for each mapping of field → value; all of them or none.

    It belongs to whoever opens it unless an owner is given, and has the contact's company and team, the workspace's
    currency and the stage's probability unless they are. Raises Invalid with a sentence per field, NotAllowed for a
    viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed("A viewer cannot add opportunities.")
    if stage not in OPEN:
        raise Invalid({"stage": f"An opportunity is opened at {STAGE.names(OPEN)}."})
    wanted = [validate("opportunity", values, by=by, new=True) for values in opportunities]
    people = lock_contacts({values["contact"] for values in wanted if values.get("contact")})
    made = [_build(values, people.get(values.get("contact", 0)), stage, by) for values in wanted]
    try:
        with transaction.atomic():
            Opportunity.objects.bulk_create(made)
    except IntegrityError:
        raise taken(Opportunity, wanted, by) from None
    rows = Opportunity.objects.filter(pk__in=[opportunity.pk for opportunity in made])
    record("opportunity.created", rows, by=by, snapshot=[*columns(Opportunity), "stage"])
    write_first_transition(Opportunity, [opportunity.pk for opportunity in made], STAGE, "create", by=by)
    return Outcome(by.change, [opportunity.pk for opportunity in made])


def _build(values: dict[str, Any], contact: Contact | None, stage: str, by: Actor) -> Opportunity:
    if contact is None:
        raise Invalid({"contact": "An opportunity belongs to a contact: say which."})
    defaults = {"company": contact.company_id, "team": contact.team_id, "currency": workspace().currency}
    facts = defaults | {"probability": PROBABILITY[stage]} | values
    opportunity = cast(Opportunity, build(Opportunity, facts, by))
    opportunity.stage, opportunity.stage_since = stage, opportunity.created_at
    return opportunity
