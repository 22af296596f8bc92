"""The contact's two axes: where the person stands in the buyer journey, and whether they can be reached."""

from crm.entities.fields import Choice
from crm.kit.actor import Role
from crm.lifecycle.axes import Axis, Move, Reason

LIFECYCLE = Axis(
    entity="contact",
    field="lifecycle_stage",
    label="Lifecycle Stage",
    values=(
        Choice("lead", "Lead", "amber"),
        Choice("qualified", "Qualified", "blue"),
        Choice("customer", "Customer", "green"),
        Choice("lost", "Lost", "red"),
        Choice("churned", "Churned", "grey"),
        Choice("partner", "Partner", "violet"),
    ),
    moves=(
        Move("qualify", "Qualify", ("lead",), "qualified", "contact.qualified"),
        Move("win", "Won", ("qualified",), "customer", "contact.won"),
        Move("lose", "Lost", ("lead", "qualified"), "lost", "contact.lost", reason=Reason.ASKED),
        Move("churn", "Churned", ("customer",), "churned", "contact.churned", reason=Reason.ASKED),
        Move(
            "partner",
            "Partner",
            ("lead", "qualified", "customer"),
            "partner",
            "contact.partnered",
            reason=Reason.REQUIRED,
        ),
        Move(
            "reopen",
            "Reopen",
            ("lost", "churned"),
            "lead",
            "contact.reopened",
            role=Role.MANAGER,
            reason=Reason.REQUIRED,
        ),
        Move(
            "override",
            "Override",
            ("lead", "qualified", "customer", "lost", "churned", "partner"),
            "",
            "contact.overridden",
            role=Role.MANAGER,
            reason=Reason.REQUIRED,
            severity="warning",
        ),
    ),
    start_help="Lead, unless they are further along already, e.g. a customer you met in person.",
)

STATUS = Axis(
    entity="contact",
    field="status",
    label="Status",
    values=(
        Choice("active", "Active", "green"),
        Choice("inactive", "Inactive", "grey"),
        Choice("bounced", "Bounced", "red"),
        Choice("unsubscribed", "Unsubscribed", "amber"),
    ),
    moves=(
        Move(
            "set_status",
            "Change status",
            ("active", "inactive", "bounced", "unsubscribed"),
            "",
            "contact.status_changed",
        ),
        Move(
            "suppression",
            "Suppression",
            ("active", "inactive", "bounced", "unsubscribed"),
            "",
            "contact.status_changed",
            by_rule=True,
        ),
    ),
)

# When two people turn out to be one, the record keeps the stage that says most about the person.
FURTHEST = ("lost", "lead", "qualified", "partner", "churned", "customer")
