"""The contacts behind a signed link in an email."""

from django.db.models import Q

from contacts.models import Contact
from crm.campaigns.models import CampaignPerson


def contacts_of(person: CampaignPerson) -> list[Contact]:
    """Return an email's contact and, after a merge, the survivor; locked."""
    first = Contact.objects.get(pk=person.contact_id)
    rows = Contact.objects.filter(Q(pk=first.pk) | Q(pk=first.merged_into_id)).order_by("pk")
    return list(rows.select_for_update(of=("self",)))
