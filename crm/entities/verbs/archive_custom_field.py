"""Archive a custom field, keeping its values."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.models import CustomField
from crm.entities.uses import refuse_breaking_changes
from crm.entities.versions import bump_schema, lock_settings
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _


@transaction.atomic
def archive_custom_field(field: CustomField, *, by: Actor) -> CustomField:
    """Remove the field from forms, columns and conditions until restored. Idempotent.

    Its names stay taken. Admins only: raises NotAllowed, and InUse while settings of the workspace refer to it.
    """
    lock_settings(by)
    field.refresh_from_db()
    if field.archived_at is None:
        field.archived_at = clock.now()
        rows = CustomField.objects.filter(pk=field.pk)
        with refuse_breaking_changes(_("Can’t archive the field “{field}”.").format(field=field.label)):
            update_and_record("custom_field.archived", rows, {"archived_at": field.archived_at}, by=by)
            bump_schema()
    return field
