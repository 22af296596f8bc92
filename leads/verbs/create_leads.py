"""Create leads."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from contacts.models import Contact
from crm.entities.schema import schema
from crm.entities.values import parse_value
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.opportunities.contacts import lock_contacts
from crm.records.validation import validate
from crm.records.writing import apply
from crm.users.visibility import may_edit
from leads.models import Lead
from leads.open_leads import PROSPECTS, open_leads


@transaction.atomic
def create_leads(leads: Sequence[Mapping[str, Any]], *, by: Actor) -> Outcome:
    """Create a lead for each mapping of field → value; all or none. `contact` is a contact, its key or its name.

    Raises Invalid with a message per field, also for a contact that is no prospect or has an open lead; NotAllowed for
    a viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed(_("Viewers can’t create leads."))
    wanted = [(_contact_id(v.get("contact"), by), _own(v, by)) for v in leads]
    people = lock_contacts({contact for contact, _values in wanted if contact})
    chosen = [_prospect(people.get(contact or 0), by) for contact, _values in wanted]
    if taken := set(Lead.objects.open().filter(contact__in=chosen).values_list("contact", flat=True)):
        names = ", ".join(people[pk].name for pk in sorted(taken))
        sentence = ngettext("{names} already has an open lead.", "{names} already have open leads.", len(taken))
        raise Invalid({"contact": sentence.format(names=names)})
    if len(set(chosen)) < len(chosen):
        raise Invalid({"contact": _("A contact can have only one open lead.")})
    now = clock.now()
    made = open_leads([(contact, now) for contact in chosen], by)
    for pk, (_contact, values) in zip(made, wanted, strict=True):
        if values:
            apply("lead.updated", Lead.objects.filter(pk=pk), values, by=by)
    return Outcome(by.change, list(made))


def _contact_id(contact: Any, by: Actor) -> int | None:
    """Return a contact's key, given as itself, its key, or text."""
    if not isinstance(contact, str):
        return getattr(contact, "pk", contact)
    try:
        return parse_value(schema("lead").field("contact"), contact, by=by) if contact else None
    except ValueError as error:
        raise Invalid({"contact": str(error)}) from None


def _own(values: Mapping[str, Any], by: Actor) -> dict[str, Any]:
    return validate("lead", {key: value for key, value in values.items() if key != "contact"}, by=by)


def _prospect(contact: Contact | None, by: Actor) -> Contact:
    if contact is None or not may_edit(contact, by):
        raise Invalid({"contact": _("Choose a contact you can edit.")})
    if contact.lifecycle_stage not in PROSPECTS:
        sentence = _("{contact} must be at Lead or Qualified. Choose another contact.").format(contact=contact)
        raise Invalid({"contact": sentence})
    return contact
