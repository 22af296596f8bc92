"""Reopen dismissed exceptions."""

from django.db import transaction

from audit.record import update_and_record
from crm.anomalies.models import Waiver
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def end_waivers(records: RecordQuerySet, kind: str, *, by: Actor) -> Outcome:
    """End the current waivers of a kind on these records: exceptions that still hold are listed again."""
    locked = lock(records, by)
    done = [pk for pk in locked.ids if pk not in locked.outcome.refused]
    now = clock.now()
    held = Waiver.objects.filter(kind=kind, record_id__in=done, until__gt=now)
    update_and_record("waiver.ended", held, {"until": now}, by=by)
    locked.outcome.done += done
    return locked.outcome
