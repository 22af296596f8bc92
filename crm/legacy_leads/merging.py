"""Legacy leads on merge: their links move to the survivor."""

from django.db.models import QuerySet

from audit.record import update_and_record
from contacts.hooks import on_merge
from contacts.models import Contact
from crm.kit.actor import Actor
from crm.kit.read_tracking import uncounted_reads
from crm.legacy_leads.access import has_legacy_leads
from crm.legacy_leads.models import LegacyLead


@on_merge
def move_links(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Move links on merge(); undoing the merge moves them back."""
    if not has_legacy_leads():
        return
    with uncounted_reads():
        for link in ("contact", "became_contact"):
            rows = LegacyLead.objects.filter(**{f"{link}__in": duplicates})
            held = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
            update_and_record("legacy_lead.updated", LegacyLead.objects.filter(pk__in=held), {link: survivor.pk}, by=by)
