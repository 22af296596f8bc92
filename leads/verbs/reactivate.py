"""Reactivate lost leads."""

from django.db import transaction

from contacts.models import Contact
from contacts.verbs.reopen import reopen
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.move import move
from crm.opportunities.contacts import lock_contacts
from crm.users.visibility import RecordQuerySet, lock
from leads.axes import STATUS
from leads.models import Lead
from leads.open_leads import refuse_second_open
from leads.staging import restage


@transaction.atomic
def reactivate(leads: RecordQuerySet, *, by: Actor, reason: str = "") -> Outcome:
    """Move lost leads back to Working; for managers, with a reason, as a warning. Usually a new lead is better.

    Refused if the contact has another open lead. A lost contact is reopened too, and the score decides again. Raises
    Refused, changing nothing, if a guard blocks the contact.
    """
    people = lock_contacts(leads.order_by().values_list("contact", flat=True))
    locked = lock(leads, by)
    gone = Lead.objects.filter(pk__any_of=locked.ids).exclude(contact__pk__any_of=list(people))
    sentence = _("The contact is in the trash. Restore it first.")
    locked.outcome.refuse(gone.values_list("pk", flat=True), sentence)
    refuse_second_open(locked, ("lost",))
    outcome = move(locked, STATUS, "reactivate", by=by, reason=reason, also={"lost_date": None, "lost_reason": ""})
    again = Lead.objects.filter(pk__any_of=outcome.done)
    lost = Contact.objects.filter(pk__in=again.values("contact"), lifecycle_stage="lost")
    if lost.exists():
        reopen(lost, by=by, reason=reason).or_raise()
    restage(again, by=by)
    return outcome
