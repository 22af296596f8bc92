"""Create contacts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from contacts.axes import LIFECYCLE
from contacts.models import Contact
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.verbs.create_records import create_records
from crm.records.writing import build


@transaction.atomic
def create(people: Sequence[Mapping[str, Any]], *, by: Actor, stage: str = "lead") -> Outcome:
    """Create a contact for each mapping of field → value; all of them or none.

    New contacts start at any `stage`, as in an import: a customer met in person was not moved there. They are owned by
    the creator unless an owner is given. Raises Invalid with a message per field, NotAllowed for a viewer.
    """
    if stage not in {choice.value for choice in LIFECYCLE.values}:
        raise Invalid({"lifecycle_stage": _("“{stage}” isn’t a lifecycle stage.").format(stage=stage)})

    def make(values: list[dict[str, Any]]) -> list[Contact]:
        contacts = [build(Contact, each, by) for each in values]
        for contact in contacts:
            contact.lifecycle_stage = stage
        return contacts

    return create_records(Contact, people, by=by, make=make)
