"""Bring an archived custom field back, with the values that the records kept."""

from django.db import transaction

from crm.entities.models import CustomField
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor


@transaction.atomic
def restore_custom_field(field: CustomField, *, by: Actor) -> CustomField:
    """Show the field again. Restoring one that is in use changes nothing. Admins only: raises NotAllowed."""
    lock_settings(by)
    field.refresh_from_db()
    if field.archived_at is not None:
        field.archived_at = None
        field.save(update_fields=["archived_at"])
        bump_schema()
    return field
