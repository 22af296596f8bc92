"""Snooze records with a reason."""

from datetime import datetime

from django.db import transaction

from audit.record import record, update_and_record
from crm.entities.registry import entity_of
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.models import Wait
from crm.lifecycle.until import check_until
from crm.users.visibility import RecordQuerySet, lock

KEPT = ("entity", "record_id", "reason", "until")


@transaction.atomic
def wait(rows: RecordQuerySet, *, by: Actor, reason: str, until: datetime) -> Outcome:
    """Exempt records from being stuck until a time (aware), with the reason; repeating replaces it.

    Refused: records the actor may not change. Raises Invalid without a reason, or for a time in the past or more than a
    year ahead.
    """
    check_until(reason, until)
    entity, locked = entity_of(rows.model), lock(rows, by)
    for ids in locked.batches_of_ids():
        waits = Wait.objects.filter(entity=entity, record_id__any_of=ids)
        known = set(waits.values_list("record_id", flat=True))
        update_and_record("wait.updated", waits, {"reason": reason.strip(), "until": until}, by=by)
        facts = {"entity": entity, "reason": reason.strip(), "until": until, "created_at": clock.now()}
        Wait.objects.bulk_create(Wait(record_id=pk, **facts) for pk in ids if pk not in known)
        new = Wait.objects.filter(entity=entity, record_id__any_of=[pk for pk in ids if pk not in known])
        record("wait.created", new, by=by, snapshot=KEPT)
        locked.outcome.done += ids
    return locked.outcome
