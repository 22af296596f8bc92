"""Write no more to somebody who asked for it by the link in a mail."""

from django.db import transaction

from contacts.axes import STATUS
from contacts.models import Contact
from contacts.verbs.set_status import set_status
from crm.campaigns.models import CampaignPerson
from crm.kit.actor import Actor
from crm.lifecycle.move import write

GONE = "unsubscribed"


@transaction.atomic
def unsubscribe(person: CampaignPerson, *, by: Actor) -> None:
    """Make the contact of a mail unsubscribed, and say so in its campaign. Asked again it changes nothing.

    Whoever was merged into another contact speaks for that one; one in the trash stays unsubscribed when restored.
    """
    first = Contact.objects.filter(pk=person.contact_id).get()
    rows = Contact.objects.filter(pk=first.merged_into_id or first.pk)
    contact = rows.select_for_update(of=("self",)).get()
    reason = f"By the link in “{person.campaign}”"
    if contact.status != GONE and contact.deleted_at is None:
        set_status(rows, GONE, by=by, reason=reason).or_raise()
    elif contact.status != GONE:
        write(rows, STATUS, GONE, verb="set_status", event="contact.status_changed", by=by, reason=reason)
    CampaignPerson.objects.filter(pk=person.pk).update(state=CampaignPerson.State.UNSUBSCRIBED, reason="")
