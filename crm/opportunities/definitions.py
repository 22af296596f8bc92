"""Default definitions of opportunity stages."""

from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.definitions import Definition

# Source 001 on every open opportunity: is the next step and buyer visible?
VISIBLE = (
    "next_step is not empty and contact.role = decision_maker and contact.last_activity <= 14 days ago"  # not a text
)

STAGE_DEFINITIONS = {
    "prospecting": Definition(
        _("A potential deal without a request yet."),
        _("Who would buy, and what?"),
        _("Find the buyer and agree on a next step"),
        "contact.email is not empty or contact.phone is not empty",  # not a text
        VISIBLE,
    ),
    "qualification": Definition(
        _("The need is confirmed. We’re checking whether we can meet it."),
        _("Is the next step and buyer visible?"),
        _("Confirm budget and timing"),
        "next_step is not empty",  # not a text
        f"{VISIBLE} and amount is not empty",  # not a text
    ),
    "proposal": Definition(
        _("A proposal has been sent."),
        _("What do they still need to decide?"),
        _("Review the proposal with the buyer"),
        "amount is not empty and next_step is not empty",  # not a text
        f"{VISIBLE} and close_date >= today",  # not a text
    ),
    "negotiation": Definition(
        _("Terms under negotiation."),
        _("What is blocking the signature?"),
        _("Agree on the open terms"),
        "amount is not empty and close_date is not empty",  # not a text
        f"{VISIBLE} and close_date >= today",  # not a text
    ),
    "won": Definition(
        _("They bought."),
        _("Has initial value been delivered?"),
        _("Hand over to onboarding"),
        "won_at is not empty and amount is not empty",  # not a text
    ),
    "lost": Definition(
        _("Closed lost, with a reason."),
        _("Do we know why?"),
        _("Record the lost reason"),
        "lost_at is not empty and lost_reason is not empty",  # not a text
    ),
}
