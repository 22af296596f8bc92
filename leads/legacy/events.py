"""What can happen to old leads."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("legacy_lead", "leads.LegacyLead", person="became_contact_id")
register("old_leads", "leads.OldLeads")
declare(
    EventType("legacy_lead.created", "CREATE", "added this old lead", "Created", "archive"),
    EventType("legacy_lead.updated", "UPDATE", "changed", "Updated", "pencil"),
    EventType("legacy_lead.assigned", "ASSIGN", "assigned", "Assigned", "user-check"),
    EventType("legacy_lead.deleted", "DELETE", "moved this old lead to the trash", "Deleted", "trash-2"),
    EventType("legacy_lead.restored", "RESTORE", "took this old lead out of the trash", "Restored", "archive-restore"),
    EventType("legacy_lead.migrated", "MIGRATE", "moved this old lead to its contact", "Migrated", "archive"),
    EventType("old_leads.opened", "CREATE", "added the first old lead", "Opened", "archive"),
    EventType("old_leads.exported", "EXPORT", "exported the old leads", "Exported", "download"),
    EventType("old_leads.rehearsed", "RESTORE", "restored the export of the old leads on trial", "Rehearsed", "check"),
    EventType("old_leads.drop_confirmed", "CONFIRM", "confirmed the dropping of the old leads", "Confirmed", "check"),
    EventType("old_leads.dropped", "DELETE", "dropped the old leads", "Dropped", "trash-2", severity="warning"),
)
