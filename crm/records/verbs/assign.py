"""Assign records to an owner."""

from django.db import transaction

from crm.entities.registry import entity_of
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.records.validation import validate
from crm.records.writing import apply
from crm.users.visibility import RecordQuerySet, lock

KEEP = object()


@transaction.atomic
def assign(records: RecordQuerySet, owner, *, by: Actor, team=KEEP) -> Outcome:
    """Set the owner (a Membership, its id, an email, or None) and optionally the team.

    Raises Invalid for an inactive owner.
    """
    entity = entity_of(records.model)
    wanted = {"owner": owner} if team is KEEP else {"owner": owner, "team": team}
    changes = validate(entity, wanted, by=by)
    locked = lock(records, by)
    for rows in locked.batches():
        apply(f"{entity}.assigned", rows, changes, by=by)
        locked.outcome.done += rows.values_list("pk", flat=True)
    return locked.outcome
