"""Suppress the addresses of a person who unsubscribed by the link in an email."""

from django.db import transaction

from contacts.models import Contact, Suppression
from contacts.suppression import UNSUBSCRIBED, AddressToSuppress, suppress
from contacts.verbs.set_status import set_status
from crm.campaigns.models import CampaignPerson
from crm.campaigns.people import contacts_of
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _


@transaction.atomic
def unsubscribe(person: CampaignPerson, *, by: Actor) -> None:
    """Suppress every address of an email's contact, noting the campaign. Idempotent.

    A merged contact includes the survivor. Contacts in the trash stay unsubscribed when restored.
    """
    contacts = contacts_of(person)
    source = _("Unsubscribe link in “{campaign}”").format(campaign=person.campaign)
    live = Contact.objects.live().filter(pk__in=[c.pk for c in contacts]).exclude(status=UNSUBSCRIBED)
    set_status(live, UNSUBSCRIBED, by=by, reason=source)
    reason, now = Suppression.Reason.UNSUBSCRIBED, clock.now()
    stops = [AddressToSuppress(c.pk, c.email_key, reason, source, now) for c in contacts if c.email_key]
    suppress(stops, by=by)
    CampaignPerson.objects.filter(pk=person.pk).update(state=CampaignPerson.State.UNSUBSCRIBED, reason="")
