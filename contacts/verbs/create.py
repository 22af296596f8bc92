"""Make new contacts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from audit.record import record
from contacts.axes import LIFECYCLE, STATUS
from contacts.duplicates import taken
from contacts.fields import SNAPSHOT, build, validate
from contacts.models import Contact
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.lifecycle.move import write_first_transition


@transaction.atomic
def create(people: Sequence[Mapping[str, Any]], *, by: Actor, stage: str = "lead") -> Outcome:
    """Add a contact for each mapping of field → value; all of them or none.

    New contacts stand at `stage`, any of them, as in an import: a customer met in person was not moved there. They
    belong to whoever adds them, unless an owner is given. Raises Invalid with a sentence per field, NotAllowed for a
    viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed("A viewer cannot add contacts.")
    if stage not in {choice.value for choice in LIFECYCLE.values}:
        raise Invalid({"lifecycle_stage": f"There is no lifecycle stage “{stage}”."})
    wanted = [validate("contact", values, by=by, new=True) for values in people]
    contacts = [build(Contact, values, by) for values in wanted]
    for contact in contacts:
        contact.lifecycle_stage = stage
    try:
        with transaction.atomic():
            Contact.objects.bulk_create(contacts)
    except IntegrityError:
        raise taken(Contact, wanted, by) from None
    ids = [contact.pk for contact in contacts]
    rows = Contact.objects.filter(pk__any_of=ids)
    for axis in (LIFECYCLE, STATUS):
        write_first_transition(Contact, ids, axis, "create", by=by)
    record("contact.created", rows, by=by, snapshot=SNAPSHOT["contact"])
    return Outcome(by.change, [contact.pk for contact in contacts])
