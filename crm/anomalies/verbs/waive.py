"""Dismiss an exception for a time."""

from datetime import datetime

from django.db import transaction

from audit.record import record
from crm.anomalies.models import Finding, Waiver
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.until import check_until
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def waive(records: RecordQuerySet, kind: str, *, by: Actor, reason: str, until: datetime) -> Outcome:
    """Waive the exceptions of a kind on these records until a time (aware), with the reason.

    An exception that ends and begins again is not waived. Refused: records the actor may not change, and records
    without an exception. Raises Invalid without a reason, or for a time in the past or more than a year ahead.
    """
    check_until(reason, until)
    locked = lock(records, by)
    found = dict(Finding.objects.filter(kind=kind, record_id__in=locked.ids).values_list("record_id", "entity"))
    locked.outcome.refuse([pk for pk in locked.ids if pk not in found], _("This exception no longer applies."))
    done = [pk for pk in locked.ids if pk not in locked.outcome.refused]
    facts = {"kind": kind, "reason": reason.strip(), "until": until, "member_id": by.member_id}
    made = [Waiver(entity=found[pk], record_id=pk, created_at=clock.now(), **facts) for pk in done]
    Waiver.objects.bulk_create(made)
    told = ("kind", "entity", "record_id", "reason", "until", "member")
    record("waiver.created", Waiver.objects.filter(pk__in=[w.pk for w in made]), by=by, snapshot=told, note=reason)
    locked.outcome.done += done
    return locked.outcome
