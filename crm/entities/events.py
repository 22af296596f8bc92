"""Events of custom fields."""

from audit.subjects import register
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("custom_field", "entities.CustomField")
declare(
    EventType(
        "custom_field.created", "CREATE", _("Field created"), _("{who} created a field"), icon="table-properties"
    ),
    EventType(
        "custom_field.updated", "UPDATE", _("Field changed"), _("{who} changed a field"), icon="table-properties"
    ),
    EventType(
        "custom_field.converted", "UPDATE", _("Field converted"), _("{who} converted a field"), icon="table-properties"
    ),
    EventType("custom_field.archived", "ARCHIVE", _("Field archived"), _("{who} archived a field"), icon="archive"),
    EventType(
        "custom_field.restored", "RESTORE", _("Field restored"), _("{who} restored a field"), icon="archive-restore"
    ),
)
