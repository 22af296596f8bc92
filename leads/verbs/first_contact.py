"""Log the connected call that is a lead's first contact."""

from django.db import transaction

from contacts.models import Activity, Contact
from contacts.verbs.log import log
from crm.kit.actor import Actor, Channel
from crm.kit.errors import NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.move import check_move
from crm.users.visibility import RecordQuerySet, lock
from leads.axes import STATUS
from leads.models import Lead


@transaction.atomic
def first_contact(leads: RecordQuerySet, *, by: Actor) -> Outcome:
    """Log a connected call with each lead's contact, now: moves new leads to Working and meets the SLA.

    A lead that its score has moved on keeps its status. Raises NotAllowed for viewers and workflows.
    """
    if by.channel == Channel.WORKFLOW:
        raise NotAllowed(_("Workflows can’t log a first contact. Create a task instead."))
    contacts = Contact.objects.filter(pk__in=leads.order_by().values("contact")).order_by("pk")
    list(contacts.select_for_update(of=("self",), no_key=True).values_list("pk"))  # before their leads, as everywhere
    locked = lock(leads, by)
    further = Lead.objects.open().exclude(status="new").filter(pk__any_of=locked.ids, contacted_at__isnull=True)
    ahead = [pk for pk in further.values_list("pk", flat=True) if pk not in locked.outcome.refused]
    locked.ids = [pk for pk in locked.ids if pk not in ahead]
    check_move(locked, STATUS, "first_contact", by=by)
    locked.outcome.done = ahead + [pk for ids in locked.batches_of_ids() for pk in ids]
    reached = Lead.objects.filter(pk__any_of=locked.outcome.done).order_by("pk").values_list("contact", flat=True)
    if locked.outcome.done:
        call = {"kind": "call", "subject": _("First contact"), "outcome": Activity.CONNECTED}
        log([call | {"contact_id": contact} for contact in reached], by=by)
    return locked.outcome
