"""Restore an archived custom field, with the values kept by records."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.models import CustomField
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor


@transaction.atomic
def restore_custom_field(field: CustomField, *, by: Actor) -> CustomField:
    """Show the field again. Idempotent. Admins only: raises NotAllowed."""
    lock_settings(by)
    field.refresh_from_db()
    if field.archived_at is not None:
        field.archived_at = None
        rows = CustomField.objects.filter(pk=field.pk)
        update_and_record("custom_field.restored", rows, {"archived_at": field.archived_at}, by=by)
        bump_schema()
    return field
