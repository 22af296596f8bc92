"""What can happen to opportunities."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register(
    "opportunity",
    "opportunities.Opportunity",
    person="contact_id",
    moves=("stage",),
    set_by_moves=("probability", "lost_reason"),
    following=("stage_since", "won_at", "lost_at"),
)
declare(
    EventType("opportunity.created", "CREATE", "opened this opportunity", "Created", "circle-dollar-sign"),
    EventType("opportunity.updated", "UPDATE", "changed", "Updated", "pencil"),
    EventType("opportunity.assigned", "ASSIGN", "assigned", "Assigned", "user-check"),
    EventType("opportunity.moved", "MOVE", "moved this opportunity", "Moved", "arrow-right-left"),
    EventType("opportunity.won", "WIN", "won this opportunity", "Won", "trophy"),
    EventType("opportunity.lost", "LOSE", "lost this opportunity", "Lost", "circle-x"),
    EventType("opportunity.reopened", "REOPEN", "reopened this opportunity", "Reopened", "rotate-ccw"),
    EventType("opportunity.deleted", "DELETE", "moved this opportunity to the trash", "Deleted", "trash-2"),
    EventType(
        "opportunity.restored", "RESTORE", "took this opportunity out of the trash", "Restored", "archive-restore"
    ),
)
