"""How a contact's timeline calls the campaign that was sent to them."""

from django.db.models import F, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Concat

from crm.campaigns.models import Campaign
from crm.kit.actor import Actor


def campaigns_for_timeline(by: Actor) -> QuerySet:
    """As contacts.hooks.show_in_contact_timeline() asks for them: everybody in the workspace may read its campaigns."""
    name = Concat(F("public_id"), Value(" "), F("name"), output_field=TextField())
    return Campaign.objects.filter(pk=OuterRef("entity_id")).values(told=name)
