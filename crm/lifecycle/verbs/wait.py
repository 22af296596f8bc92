"""Snooze records with a reason."""

from datetime import datetime, timedelta

from django.db import transaction

from audit.record import record, update_and_record
from crm.entities.registry import entity_of
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.models import Wait
from crm.users.visibility import RecordQuerySet, lock

LONGEST = timedelta(days=366)
KEPT = ("entity", "record_id", "reason", "until")


@transaction.atomic
def wait(rows: RecordQuerySet, *, by: Actor, reason: str, until: datetime) -> Outcome:
    """Exempt records from being stuck until a time (aware), with the reason; repeating replaces it.

    Refused: records the actor may not change. Raises Invalid without a reason, or for a time in the past or more than a
    year ahead.
    """
    _check(reason, until)
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


def _check(reason: str, until: datetime) -> None:
    errors = {}
    if not reason.strip():
        errors["reason"] = _("Enter a reason. It’s visible to your team.")
    if not clock.now() < until <= clock.now() + LONGEST:
        errors["until"] = _("Choose a date within the next year.")
    if errors:
        raise Invalid(errors)
