"""The two axes of a lead: its status, which people work, and its stage, which follows the score (source 003)."""

from typing import NamedTuple

from crm.entities.fields import Choice
from crm.kit.actor import Role
from crm.lifecycle.axes import Axis, Move, Reason

OPEN = ("new", "working", "qualified")
CLOSED = ("converted", "lost")

STATUS = Axis(
    entity="lead",
    field="status",
    label="Status",
    values=(
        Choice("new", "New", "grey"),
        Choice("working", "Working", "amber"),
        Choice("qualified", "Qualified", "blue"),
        Choice("converted", "Converted", "green"),
        Choice("lost", "Lost", "red"),
    ),
    moves=(
        Move("first_contact", "First contact", ("new",), "working", "lead.contacted"),
        Move("start_work", "Working", ("new",), "working", "lead.synced", by_rule=True),
        Move("reach_qualified", "Qualified", ("working",), "qualified", "lead.synced", by_rule=True),
        Move("convert", "Convert", ("qualified",), "converted", "lead.converted"),
        Move("lose", "Lose lead", OPEN, "lost", "lead.lost", reason=Reason.ASKED),
        Move(
            "reactivate",
            "Reactivate",
            ("lost",),
            "working",
            "lead.reactivated",
            role=Role.MANAGER,
            reason=Reason.REQUIRED,
            severity="warning",
        ),
    ),
)

BY_SCORE = ("top_of_funnel", "marketing_qualified", "sales_qualified")

STAGE = Axis(
    entity="lead",
    field="stage",
    label="Stage",
    values=(
        Choice("top_of_funnel", "Top of Funnel", "blue"),
        Choice("marketing_qualified", "Marketing Qualified", "violet"),
        Choice("sales_qualified", "Sales Qualified", "green"),
        Choice("opportunity", "Opportunity", "tick"),
    ),
    moves=(
        Move(
            "qualify",
            "Qualify by hand",
            BY_SCORE[:2],
            "",
            "lead.qualified",
            reason=Reason.REQUIRED,
            targets=BY_SCORE[1:],
        ),
        Move("score", "Score", BY_SCORE, "", "lead.restaged", by_rule=True, targets=BY_SCORE),
        Move("convert", "Convert", ("sales_qualified",), "opportunity", "lead.converted", by_rule=True),
    ),
)

# What to do next with a lead at each stage (source 003, Stage Definitions).
NEXT_ACTION = {
    "top_of_funnel": "Send educational content",
    "marketing_qualified": "Schedule discovery call",
    "sales_qualified": "Begin sales process",
    "opportunity": "Work the pipeline",
}


class StatusStep(NamedTuple):
    """A step of a lead's status that its stage brings about: the verb that STATUS knows it by."""

    stage: str
    status: str
    verb: str


# Source 003, Auto-Sync Rules, in the order in which they are taken: from new a lead at Sales Qualified takes both of
# the last two, so that no status is passed over.
SYNC = (
    StatusStep("marketing_qualified", "new", "start_work"),
    StatusStep("sales_qualified", "new", "start_work"),
    StatusStep("sales_qualified", "working", "reach_qualified"),
)


def synced(status: str, stage: str) -> list[StatusStep]:
    """The steps that bring the status of a lead in line with its stage, in their order; none for most."""
    steps = []
    for step in SYNC:
        if (step.stage, step.status) == (stage, status):
            steps.append(step)
            status = STATUS.move(step.verb).target
    return steps
