"""Add what an outside source knows about a contact."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit import values as audited
from contacts.fields import apply, validate
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import lock


@transaction.atomic
def enrich(contacts: QuerySet, facts: Mapping[str, Any], *, by: Actor, source: str, overwrite: bool = False) -> Outcome:
    """Fill the blank fields of contacts with `facts` (source 002: social profiles, job title); `source` is recorded.

    A value that somebody entered is kept unless `overwrite`. Raises Invalid with a sentence per field.
    """
    known = validate("contact", {name: fact for name, fact in facts.items() if fact not in ("", None)}, by=by)
    locked = lock(contacts, by)
    for rows in locked.batches():
        for contact in rows:
            missing = known if overwrite else {k: v for k, v in known.items() if not audited.read(contact, k)}
            if missing:
                apply("contact.enriched", rows.filter(pk=contact.pk), missing, by=by, note=source)
            locked.outcome.done.append(contact.pk)
    return locked.outcome
