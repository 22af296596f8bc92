"""Live contacts found by any of their emails."""

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from contacts.addresses import EMAIL, EMAIL_FIELDS, emails_of, key_of_email
from contacts.models import Contact, ContactAddress


def with_emails(keys: Iterable[str]) -> dict[str, int]:
    """Map the emails (keys of email_key()) that live contacts have to the contacts; no statement without keys."""
    wanted = sorted(set(keys) - {""})
    rows = ContactAddress.objects.filter(kind=EMAIL, key__any_of=wanted)
    return dict(rows.values_list("key", "contact")) if wanted else {}


def owners_of(keys: Iterable[str]) -> QuerySet[Contact]:
    """Return the live contacts that have any of these emails."""
    rows = ContactAddress.objects.filter(kind=EMAIL, key__any_of=sorted(keys))
    return Contact.objects.live().filter(pk__in=rows.values("contact"))


def email_keys(values: Mapping[str, str]) -> list[str]:
    """Return the keys of the emails among the values of a contact's fields."""
    return [key_of_email(each) for each in emails_of(dict.fromkeys(EMAIL_FIELDS, "") | dict(values))]
