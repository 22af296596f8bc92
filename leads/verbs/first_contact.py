"""Note that somebody has spoken with the person."""

from django.db import transaction

from audit.record import change
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock
from leads.axes import STATUS
from leads.models import Lead


@transaction.atomic
def first_contact(leads: RecordQuerySet, *, by: Actor) -> Outcome:
    """Move new leads to Working, contacted now. One that its score has moved on before is contacted where it stands."""
    contacted = {"contacted_at": clock.now()}
    locked = lock(leads, by)
    further = Lead.objects.open().exclude(status="new").filter(pk__any_of=locked.ids, contacted_at__isnull=True)
    ahead = [pk for pk in further.values_list("pk", flat=True) if pk not in locked.outcome.refused]
    change("lead.contacted", Lead.objects.filter(pk__any_of=ahead), contacted, by=by)
    locked.ids = [pk for pk in locked.ids if pk not in ahead]
    locked.outcome.done += ahead
    return move(locked, STATUS, "first_contact", by=by, also=contacted)
