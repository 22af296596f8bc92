"""Names of legacy leads in contacts' timelines."""

from django.db.models import F, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Concat

from crm.kit.actor import Actor
from crm.legacy_leads.models import MovedLead


def names(by: Actor) -> QuerySet:
    """Return the names of legacy leads for a contact's timeline."""
    seen = MovedLead.objects.visible_to(by).filter(lead=OuterRef("entity_id"))
    return seen.values(called=Concat(F("public_id"), Value(" "), F("name"), output_field=TextField()))[:1]
