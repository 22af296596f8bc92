"""Campaign names in a contact's timeline."""

from django.db.models import F, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Concat

from crm.campaigns.models import Campaign
from crm.kit.actor import Actor


def campaigns_for_timeline(by: Actor) -> QuerySet:
    """Return campaign names for contacts.hooks.show_in_contact_timeline(): all members may read campaigns."""
    name = Concat(F("public_id"), Value(" "), F("name"), output_field=TextField())
    return Campaign.objects.filter(pk=OuterRef("entity_id")).values(told=name)
