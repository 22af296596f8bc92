"""Add a person to an opportunity."""

from django.db import transaction

from audit.record import record
from contacts.models import ROLES, Contact
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.opportunities.models import OpportunityContact
from crm.users.visibility import RecordQuerySet, lock

SNAPSHOT = ("opportunity", "contact", "role")


@transaction.atomic
def add_person(opportunities: RecordQuerySet, contact: Contact, *, role: str = "", by: Actor) -> Outcome:
    """Add a contact that `by` can see to opportunities, with a role in the purchase.

    The first person of an opportunity becomes its primary contact. Refused: opportunities that already have the person.
    Raises Invalid for an unknown role or a contact that is hidden or in the trash.
    """
    if role and role not in dict(ROLES):
        raise Invalid({"role": _("Choose a role.")})
    if not Contact.objects.live().visible_to(by).filter(pk=contact.pk).exists():
        raise Invalid({"contact": _("Choose a contact.")})
    locked = lock(opportunities, by, bring="contact")
    there = OpportunityContact.objects.filter(opportunity__in=locked.ids, contact=contact, deleted_at__isnull=True)
    known = {*there.values_list("opportunity", flat=True)}
    known |= {pk for pk, primary in locked.read("contact").items() if primary == contact.pk}
    locked.outcome.refuse(known, _("{contact} is already on this opportunity.").format(contact=contact))
    now = clock.now()
    made = OpportunityContact.objects.bulk_create(
        OpportunityContact(workspace_id=by.workspace_id, opportunity_id=pk, contact=contact, role=role, updated_at=now)
        for ids in locked.batches_of_ids()
        for pk in ids
    )
    rows = OpportunityContact.objects.filter(pk__in=[person.pk for person in made])
    record("opportunity_contact.added", rows, by=by, snapshot=SNAPSHOT)
    locked.outcome.done = [person.opportunity_id for person in made]
    return locked.outcome
