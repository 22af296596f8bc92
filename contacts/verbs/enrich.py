"""Add an external source's data to a contact."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from audit import values as audited
from crm.entities.schema import schema
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.validation import validate
from crm.records.writing import apply
from crm.users.visibility import RecordQuerySet, lock

DECIDED_BY_PEOPLE = {"status", "owner", "team", "manager"}


@transaction.atomic
def enrich(
    contacts: RecordQuerySet, facts: Mapping[str, Any], *, by: Actor, source: str, overwrite: bool = False
) -> Outcome:
    """Fill blank fields of contacts with `facts` (source 002: social profiles, job title), recording `source`.

    Entered values are kept unless `overwrite`. Raises Invalid with a message per field, also for fields only people
    decide: status, owner, team and reporting line.
    """
    _check(facts)
    known = validate("contact", {name: fact for name, fact in facts.items() if fact not in ("", None)}, by=by)
    locked = lock(contacts, by)
    for rows in locked.batches():
        for contact in rows:
            missing = (
                known if overwrite else {k: v for k, v in known.items() if audited.read_value(contact, k) in ("", None)}
            )
            if missing:
                apply("contact.enriched", rows.filter(pk=contact.pk), missing, by=by, note=source)
            locked.outcome.done.append(contact.pk)
    return locked.outcome


def _check(facts: Mapping[str, Any]) -> None:
    found = {name: schema("contact").find(name) for name in facts}
    if wrong := {name: field.label for name, field in found.items() if field and field.key in DECIDED_BY_PEOPLE}:
        sentence = _("{field} can’t be set by enrichment.")
        raise Invalid({name: sentence.format(field=label) for name, label in wrong.items()})
