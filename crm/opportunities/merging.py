"""What becomes of opportunities when their contacts are merged: the survivor has them all."""

from django.db.models import QuerySet

from audit.record import update_and_record
from contacts.models import Contact
from crm.kit.actor import Actor
from crm.opportunities.models import Opportunity


def move_opportunities(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Called by merge(); undoing the merge moves them back."""
    rows = Opportunity.objects.filter(contact__in=duplicates)
    held = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    update_and_record("opportunity.updated", Opportunity.objects.filter(pk__in=held), {"contact": survivor.pk}, by=by)
