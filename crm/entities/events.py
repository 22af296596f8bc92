"""What can happen to custom fields."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("custom_field", "entities.CustomField")
declare(
    EventType("custom_field.created", "CREATE", "made a field", icon="table-properties"),
    EventType("custom_field.updated", "UPDATE", "changed a field", icon="table-properties"),
    EventType("custom_field.archived", "ARCHIVE", "archived a field", icon="archive"),
    EventType("custom_field.restored", "RESTORE", "restored a field", icon="archive-restore"),
)
