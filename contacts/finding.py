"""Live contacts found by any of their emails."""

from collections.abc import Iterable

from contacts.models import ContactAddress


def with_emails(keys: Iterable[str]) -> dict[str, int]:
    """Map those keys (of email_key()) that a live contact has to the contact's primary key; no statement without keys."""
    wanted = sorted(set(keys) - {""})
    rows = ContactAddress.objects.filter(kind="email", key__any_of=wanted)
    return dict(rows.values_list("key", "contact")) if wanted else {}
