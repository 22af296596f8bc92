"""Files on merge: those of the duplicates move to the survivor."""

from django.db.models import QuerySet

from audit.record import update_and_record
from contacts.hooks import on_company_merge, on_merge
from contacts.models import Company, Contact
from crm.files.models import Attachment
from crm.kit.actor import Actor


@on_merge
def move_files(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Move files on merge(), deleted ones too; undoing the merge moves them back."""
    _move(Attachment.objects.filter(contact__in=duplicates), {"contact": survivor.pk}, by)


@on_company_merge
def move_files_of_companies(survivor: Company, duplicates: QuerySet, by: Actor) -> None:
    """Move files on merge_companies() likewise."""
    _move(Attachment.objects.filter(company__in=duplicates), {"company": survivor.pk}, by)


def _move(rows: QuerySet, to: dict[str, int], by: Actor) -> None:
    held = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    update_and_record("attachment.moved", Attachment.objects.filter(pk__in=held), to, by=by)
