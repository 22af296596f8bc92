"""Take contacts or companies out of the trash."""

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from contacts.fields import apply
from contacts.models import Contact
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import Locked, lock


@transaction.atomic
def restore(records: QuerySet, *, by: Actor) -> Outcome:
    """Bring records back as they were.

    Refused: one whose e-mail or external ID another record uses now, and one that was merged (unmerge it instead).
    """
    locked = lock(records, by, trashed=True)
    _refuse(locked)
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        apply(f"{records.model._meta.model_name}.restored", rows, {"deleted_at": None}, by=by)
    return locked.outcome


def _refuse(locked: Locked) -> None:
    for rows in locked.batches():
        if locked.model is Contact:
            merged = rows.filter(merged_into__isnull=False).values_list("pk", flat=True)
            locked.outcome.refuse(merged, "It was merged into another contact: unmerge it instead.")
            _refuse_taken(locked, rows, "email_key", "e-mail")
        _refuse_taken(locked, rows, "external_id", "external ID")


def _refuse_taken(locked: Locked, rows: QuerySet, field: str, label: str) -> None:
    others = (
        locked.model.objects.live().filter(~Q(**{field: ""}), **{field: OuterRef(field)}).exclude(pk=OuterRef("pk"))
    )
    taken = rows.filter(Exists(others)).values_list("pk", F(field))
    locked.outcome.refuse([pk for pk, _ in taken], f"Another record uses its {label} now.")
