"""What can happen to contacts, companies and activities."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register(
    "contact",
    "contacts.Contact",
    person="pk",
    moves=("lifecycle_stage",),
    following=("lifecycle_stage_since", "status_since", "last_activity", "last_engagement", "engagement"),
)
register("company", "contacts.Company")
register("suppression", "contacts.Suppression")
register("activity", "contacts.Activity", person="contact_id")
register("engagement", "contacts.EngagementEvent", person="contact_id")

declare(
    EventType("contact.created", "CREATE", "added this contact", "Created", "user-plus"),
    EventType("contact.captured", "CREATE", "captured this contact", "Captured", "magnet"),
    EventType("contact.updated", "UPDATE", "changed", "Updated", "pencil"),
    EventType("contact.enriched", "UPDATE", "enriched", "Enriched", "sparkles"),
    EventType("contact.assigned", "ASSIGN", "assigned", "Assigned", "user-check"),
    EventType("contact.status_changed", "UPDATE", "changed", "StatusChanged", "activity"),
    EventType("contact.qualified", "QUALIFY", "qualified this contact", "Qualified", "badge-check"),
    EventType("contact.won", "WIN", "won this contact", "Won", "trophy"),
    EventType("contact.lost", "LOSE", "marked this contact as lost", "Lost", "circle-x"),
    EventType("contact.churned", "CHURN", "marked this contact as churned", "Churned", "log-out"),
    EventType("contact.partnered", "PARTNER", "made this contact a partner", "Partnered", "handshake"),
    EventType("contact.reopened", "REOPEN", "reopened this contact", "Reopened", "rotate-ccw"),
    EventType("contact.overridden", "OVERRIDE", "overrode the stage", "Overridden", "shield-alert", "warning"),
    EventType("contact.engaged", "UPDATE", "recorded", "Engaged", "mouse-pointer-click"),
    EventType("contact.disengaged", "UPDATE", "removed recorded engagement", "Disengaged", "mouse-pointer-ban"),
    EventType("suppression.added", "UPDATE", "suppressed the address", "Suppressed", "mail-x"),
    EventType("suppression.lifted", "LIFT", "lifted the suppression", "SuppressionLifted", "mail-check", "warning"),
    EventType("contact.deleted", "DELETE", "moved this contact to the trash", "Deleted", "trash-2"),
    EventType("contact.restored", "RESTORE", "took this contact out of the trash", "Restored", "archive-restore"),
    EventType("contact.merged", "MERGE", "merged a duplicate into this contact", "Merged", "merge"),
    EventType("contact.absorbed", "MERGE", "merged this contact into another", "Absorbed", "merge"),
    EventType("company.created", "CREATE", "added this company", "Created", "building-2"),
    EventType("company.updated", "UPDATE", "changed", "Updated", "pencil"),
    EventType("company.assigned", "ASSIGN", "assigned", "Assigned", "user-check"),
    EventType("company.deleted", "DELETE", "moved this company to the trash", "Deleted", "trash-2"),
    EventType("company.restored", "RESTORE", "took this company out of the trash", "Restored", "archive-restore"),
    EventType("activity.logged", "CREATE", "logged", "Logged", "message-square"),
    EventType("activity.planned", "CREATE", "planned", "Planned", "square-check"),
    EventType("activity.updated", "UPDATE", "changed", "Updated", "pencil"),
    EventType("activity.completed", "COMPLETE", "completed", "Completed", "square-check-big"),
    EventType("engagement.moved", "UPDATE", "moved what they did", "Updated", "merge"),
    EventType("activity.deleted", "DELETE", "deleted", "Deleted", "trash-2"),
)
