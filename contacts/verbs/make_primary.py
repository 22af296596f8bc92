"""Make one of a contact's emails or phones the first."""

from django.db import transaction

from contacts.addresses import emails_of, fields_of_emails, fields_of_phones, phones_of
from contacts.models import Contact
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.writing import apply
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def make_primary(contacts: RecordQuerySet, address: str, *, by: Actor) -> Outcome:
    """Move `address` to the front of the contact's emails or phones; the others keep their order.

    A phone labeled mobile becomes the first of those. Raises Invalid if the contact doesn't have it.
    """
    locked = lock(contacts, by)
    for rows in locked.batches():
        for contact in rows:
            apply("contact.updated", rows.filter(pk=contact.pk), _moved(contact, address), by=by)
            locked.outcome.done.append(contact.pk)
    return locked.outcome


def _moved(contact: Contact, address: str) -> dict[str, str]:
    kinds = ((emails_of, fields_of_emails), (phones_of, fields_of_phones))
    for read, fields in kinds:
        found = read(contact.address_fields)
        if same := [each for each in found if each.value == address]:
            return fields([same[0], *(each for each in found if each is not same[0])])
    raise Invalid({"address": _("{contact} doesn’t have “{address}”.").format(contact=contact, address=address[:254])})
