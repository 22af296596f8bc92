"""Resubscribe a person who asked for it by the link in an email."""

from django.db import transaction

from contacts.models import Contact, Suppression
from contacts.suppression import lift_reasons
from crm.campaigns.models import CampaignPerson
from crm.campaigns.people import contacts_of
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _

WISHES = [reason for reason in Suppression.Reason.values if reason != Suppression.Reason.BOUNCED]


@transaction.atomic
def resubscribe(person: CampaignPerson, *, by: Actor) -> None:
    """Lift the suppressions of the person's addresses, except of bounced ones."""
    ids = [contact.pk for contact in contacts_of(person)]
    note = _("Resubscribed from “{campaign}”").format(campaign=person.campaign)
    lift_reasons(Contact.objects.filter(pk__in=ids), WISHES, by=by, note=note)
