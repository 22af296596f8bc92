"""Make a person on an opportunity its primary contact."""

from django.db import transaction

from audit.record import record, update_and_record
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.opportunities.models import Opportunity, OpportunityContact
from crm.opportunities.verbs.add_person import SNAPSHOT
from crm.records.writing import apply
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def make_primary(people: RecordQuerySet, *, by: Actor) -> Outcome:
    """Exchange each person with the primary contact of the opportunity, who stays on it."""
    # Before the people, as in merging: of two members, the second sees the primary contact that the first chose.
    deals = Opportunity.objects.filter(pk__in=people.order_by().values("opportunity")).order_by("pk")
    list(deals.select_for_update(of=("self",)).values_list("pk"))
    locked = lock(people, by)
    for rows in locked.batches():
        for person in rows:
            _exchange(person, by)
            locked.outcome.done.append(person.pk)
    return locked.outcome


def _exchange(person: OpportunityContact, by: Actor) -> None:
    deal = Opportunity.objects.select_related("contact").get(pk=person.opportunity_id)
    before = deal.contact
    leaving = OpportunityContact.objects.filter(pk=person.pk)
    update_and_record("opportunity_contact.removed", leaving, {"deleted_at": clock.now()}, by=by)
    apply("opportunity.updated", Opportunity.objects.filter(pk=deal.pk), {"contact": person.contact_id}, by=by)
    if before:
        facts = {"workspace_id": by.workspace_id, "opportunity": deal, "contact": before, "role": before.role}
        made = OpportunityContact.objects.create(**facts, updated_at=clock.now())
        rows = OpportunityContact.objects.filter(pk=made.pk)
        record("opportunity_contact.added", rows, by=by, snapshot=SNAPSHOT)
