"""Convert a custom field to another type, with its values."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.conversion_survey import Survey, rows_with_value, survey
from crm.entities.conversion_uses import refuse_broken_uses
from crm.entities.fields import FieldType
from crm.entities.models import CustomField
from crm.entities.rewriting import lock_values, rewrite
from crm.entities.versions import bump_schema, lock_settings
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext


@transaction.atomic
def convert_custom_field(field: CustomField, to: FieldType, *, by: Actor, seen: str = "") -> Survey:
    """Change the type of a field, and each record's value to the new type; return what became of them.

    `seen` is the digest of the losses that the preview showed (Survey.seen). Admins only: raises NotAllowed; Refused
    for a conversion that can't be made, or that would lose other values than those seen; and InUse for settings that
    could not stay as they are. Undone as one piece, by undo_conversion().
    """
    lock_settings(by)
    field.refresh_from_db()
    if field.archived_at:
        raise Refused(_("Restore the field “{field}” first.").format(field=field.label))
    ids = lock_values(rows_with_value(field))
    found = survey(field, to)
    _refuse_unseen(found, seen)
    refuse_broken_uses(field, found.changes, _("Can’t convert the field “{field}”.").format(field=field.label))
    update_and_record("custom_field.converted", CustomField.objects.filter(pk=field.pk), found.changes, by=by)
    bump_schema()
    event = f"{field.entity}.field_converted"
    rewrite(field, ids, lambda pk, value: found.conversion.of(value).new, event=event, by=by)
    field.refresh_from_db()
    return found


def _refuse_unseen(found: Survey, seen: str) -> None:
    if found.lost and found.seen != seen:
        sentence = ngettext(
            "Records have changed: {count} value would be lost now. Nothing was converted. Check the preview again.",
            "Records have changed: {count} values would be lost now. Nothing was converted. Check the preview again.",
            found.lost,
        )
        raise Refused(sentence.format(count=formats.number(found.lost)))
