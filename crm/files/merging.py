"""Files on merge: those of the duplicates move to the survivor."""

from django.db.models import QuerySet

from audit.record import update_and_record
from contacts.hooks import on_merge
from contacts.models import Contact
from crm.files.models import Attachment
from crm.kit.actor import Actor


@on_merge
def move_files(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Move files on merge(), deleted ones too; undoing the merge moves them back."""
    rows = Attachment.objects.filter(contact__in=duplicates)
    held = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    update_and_record("attachment.moved", Attachment.objects.filter(pk__in=held), {"contact": survivor.pk}, by=by)
