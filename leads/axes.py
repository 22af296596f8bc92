"""A lead's two axes: status, set by members, and stage, derived from the score (source 003)."""

from typing import NamedTuple

from crm.entities.fields import Choice
from crm.kit.actor import Role
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis, Move, Reason

OPEN = ("new", "working", "qualified")
CLOSED = ("converted", "lost")

STATUS = Axis(
    entity="lead",
    field="status",
    label=_("Status"),
    values=(
        Choice("new", _("New"), "grey"),
        Choice("working", _("Working"), "amber"),
        Choice("qualified", _("Qualified"), "blue"),
        Choice("converted", _("Converted"), "green"),
        Choice("lost", _("Lost"), "red"),
    ),
    moves=(
        Move(
            "first_contact", _("Log first contact"), ("new",), "working", "lead.contacted", aliases=("First contact",)
        ),
        Move("start_work", _("Start working"), ("new",), "working", "lead.synced", by_rule=True, aliases=("Working",)),
        Move(
            "reach_qualified",
            _("Reach Qualified"),
            ("working",),
            "qualified",
            "lead.synced",
            by_rule=True,
            aliases=("Qualified",),
        ),
        Move("convert", _("Convert"), ("qualified",), "converted", "lead.converted"),
        Move("lose", _("Mark as lost"), OPEN, "lost", "lead.lost", reason=Reason.ASKED, aliases=("Lose lead",)),
        Move(
            "reactivate",
            _("Reactivate"),
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
    label=_("Qualification stage"),
    aliases=("Stage",),  # not a text
    values=(
        Choice("top_of_funnel", _("Top of Funnel"), "blue"),
        Choice("marketing_qualified", _("Marketing Qualified"), "violet"),
        Choice("sales_qualified", _("Sales Qualified"), "green"),
        Choice("opportunity", _("Opportunity"), "tick"),
    ),
    moves=(
        Move(
            "qualify",
            _("Qualify manually"),
            BY_SCORE[:2],
            "",
            "lead.qualified",
            reason=Reason.REQUIRED,
            targets=BY_SCORE[1:],
            aliases=("Qualify by hand",),
        ),
        Move("score", _("Rescore"), BY_SCORE, "", "lead.restaged", by_rule=True, targets=BY_SCORE, aliases=("Score",)),
        Move("convert", _("Convert"), ("sales_qualified",), "opportunity", "lead.converted", by_rule=True),
    ),
)

# Next action at each stage (source 003, Stage Definitions).
NEXT_ACTION = {
    "top_of_funnel": _("Send educational content"),
    "marketing_qualified": _("Schedule discovery call"),
    "sales_qualified": _("Begin sales process"),
    "opportunity": _("Work the pipeline"),
}


class StatusStep(NamedTuple):
    """A status change caused by a stage, as a verb of STATUS."""

    stage: str
    status: str
    verb: str


# Source 003, Auto-Sync Rules, in order: a new lead at Sales Qualified takes both of the last two, so that no status is
# skipped.
SYNC = (
    StatusStep("marketing_qualified", "new", "start_work"),
    StatusStep("sales_qualified", "new", "start_work"),
    StatusStep("sales_qualified", "working", "reach_qualified"),
)


def synced(status: str, stage: str) -> list[StatusStep]:
    """Return the steps that sync a lead's status with its stage, in order; mostly none."""
    steps = []
    for step in SYNC:
        if (step.stage, step.status) == (stage, status):
            steps.append(step)
            status = STATUS.by_verb[step.verb].target
    return steps
