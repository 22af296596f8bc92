"""What follows from a workspace's new country: numbers without a country code get another key."""

from django.db.models import Q

from contacts.models import Contact
from crm.events.handlers import handles
from crm.kit.actor import Actor
from crm.records.models import derive

BATCH = 1_000
WITH_PHONE = ~Q(phone="", mobile="", other_phones="")


@handles("workspace.updated")
def rekey_phones(event, *, by: Actor) -> None:
    """Derive the keys of all phones again, after a change of the country."""
    if "country" not in (event.new_values or {}):
        return
    contacts, last = Contact.objects.filter(WITH_PHONE).order_by("pk"), 0
    while batch := list(contacts.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        last = batch[-1]
        derive(Contact.objects.filter(pk__any_of=batch).order_by("pk").select_for_update(of=("self",)), {"phone"})
