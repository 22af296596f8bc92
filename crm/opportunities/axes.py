"""The stages of an opportunity: open ones in any order, then won or lost."""

from decimal import Decimal

from crm.entities.fields import Choice
from crm.kit.actor import Role
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy
from crm.lifecycle.axes import Axis, Move, Reason

OPEN = ("prospecting", "qualification", "proposal", "negotiation")
CLOSED = ("won", "lost")

STAGE = Axis(
    entity="opportunity",
    field="stage",
    label=_("Stage"),
    values=(
        Choice("prospecting", _("Prospecting"), "grey"),
        Choice("qualification", _("Qualification"), "blue"),
        Choice("proposal", _("Proposal"), "violet"),
        Choice("negotiation", _("Negotiation"), "amber"),
        Choice("won", pgettext_lazy("opportunity", "Won"), "green"),
        Choice("lost", pgettext_lazy("opportunity", "Lost"), "red"),
    ),
    moves=(
        Move("move_stage", _("Move"), OPEN, "", "opportunity.moved", targets=OPEN),
        Move("win", _("Mark as won"), OPEN, "won", "opportunity.won", aliases=("Won",)),
        Move("lose", _("Mark as lost"), OPEN, "lost", "opportunity.lost", reason=Reason.ASKED, aliases=("Lost",)),
        Move(
            "reopen",
            _("Reopen"),
            CLOSED,
            "",
            "opportunity.reopened",
            role=Role.MANAGER,
            reason=Reason.REQUIRED,
            targets=OPEN,
        ),
    ),
)

# Default win probability on entering a stage, editable afterwards.
PROBABILITY = {
    "prospecting": Decimal("0.1000"),
    "qualification": Decimal("0.2500"),
    "proposal": Decimal("0.5000"),
    "negotiation": Decimal("0.7500"),
    "won": Decimal("1.0000"),
    "lost": Decimal("0.0000"),
}


def verb_to(stage: str) -> str:
    return {"won": "win", "lost": "lose"}.get(stage, "move_stage")
