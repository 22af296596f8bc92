"""Change the role of a person on an opportunity."""

from django.db import transaction

from audit.record import update_and_record
from contacts.models import ROLES
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def edit_person(people: RecordQuerySet, *, role: str, by: Actor) -> Outcome:
    """Set the role of people on opportunities; "" for none. Raises Invalid for an unknown one."""
    if role and role not in dict(ROLES):
        raise Invalid({"role": _("Choose a role.")})
    locked = lock(people, by)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        update_and_record("opportunity_contact.updated", rows, {"role": role}, by=by)
    return locked.outcome
