"""What can happen to leads, in the words of source 003 (Logged Events)."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register(
    "lead",
    "leads.Lead",
    person="contact_id",
    moves=("status", "stage"),
    set_by_moves=("lost_reason", "opportunity"),
    following=(
        "status_since",
        "stage_since",
        "qualified_date",
        "converted_date",
        "won_date",
        "lost_date",
        "contacted_at",
        "floor_until",
        "floor_reason",
    ),
)
register("scoring_model", "leads.ScoringModel")
declare(
    EventType("lead.created", "CREATE", "opened a lead", "Created", "sprout"),
    EventType("lead.updated", "UPDATE", "changed", "Updated", "pencil"),
    EventType("lead.assigned", "ASSIGN", "assigned", "Assigned", "user-check"),
    EventType("lead.contacted", "UPDATE", "made the first contact", "Contacted", "phone"),
    EventType("lead.synced", "UPDATE", "updated the lead's status", "Updated", "refresh-cw", derived=True),
    EventType("lead.qualified", "QUALIFY", "qualified the lead by hand", "Qualified", "badge-check"),
    EventType("lead.restaged", "QUALIFY", "rescored the lead", "Qualified", "gauge", derived=True),
    EventType("lead.converted", "CONVERT", "converted the lead", "Converted", "circle-dollar-sign"),
    EventType("lead.lost", "LOSE", "lost the lead", "Lost", "circle-x"),
    EventType("lead.reactivated", "REACTIVATE", "reactivated the lead", "Reactivated", "rotate-ccw", "warning"),
    EventType("lead.deleted", "DELETE", "moved the lead to the trash", "Deleted", "trash-2"),
    EventType("lead.restored", "RESTORE", "took the lead out of the trash", "Restored", "archive-restore"),
    EventType(
        "lead.overdue",
        "OVERDUE",
        "marked the first contact as overdue",
        "Overdue",
        "alarm-clock",
        "warning",
        derived=True,
    ),
    EventType("scoring_model.created", "CREATE", "changed how leads are scored", icon="sliders-horizontal"),
)
register("assignment_rule", "leads.AssignmentRule")
register("duty", "leads.Duty")
register("first_contact_terms", "leads.FirstContactTerms")
declare(
    EventType("assignment_rule.created", "CREATE", "made the assignment rule", icon="git-branch"),
    EventType("assignment_rule.updated", "UPDATE", "changed the assignment rule", icon="git-branch"),
    EventType("duty.created", "CREATE", "said who takes leads", icon="users-round"),
    EventType("duty.updated", "UPDATE", "said who takes leads", icon="users-round"),
    EventType("first_contact_terms.created", "CREATE", "set the deadline of the first contact", icon="alarm-clock"),
    EventType("first_contact_terms.updated", "UPDATE", "set the deadline of the first contact", icon="alarm-clock"),
)
