"""What the stages of an opportunity mean, where nobody has written it anew."""

from crm.lifecycle.definitions import Definition

# Source 001 asks of every deal in progress: is the next step and buyer visible?
VISIBLE = "next_step is not empty and contact.role = decision_maker and contact.last_activity <= 14 days ago"

STAGE_DEFINITIONS = {
    "prospecting": Definition(
        "There may be a deal; nobody has asked for one yet.",
        "Who buys there, and what?",
        "Find the buyer and agree on a next step",
        "contact.email is not empty or contact.phone is not empty",
        VISIBLE,
    ),
    "qualification": Definition(
        "They have a need, and we find out whether we can meet it.",
        "Is the next step and buyer visible?",
        "Find out about budget and date",
        "next_step is not empty",
        f"{VISIBLE} and amount is not empty",
    ),
    "proposal": Definition(
        "They have an offer of ours.",
        "What do they still need to decide?",
        "Talk the offer through with the buyer",
        "amount is not empty and next_step is not empty",
        f"{VISIBLE} and close_date >= today",
    ),
    "negotiation": Definition(
        "They want it, and the terms are open.",
        "What stands between us and a signature?",
        "Settle the open terms",
        "amount is not empty and close_date is not empty",
        f"{VISIBLE} and close_date >= today",
    ),
    "won": Definition(
        "They have bought.",
        "Has initial value been delivered?",
        "Hand over to those who deliver",
        "won_at is not empty and amount is not empty",
    ),
    "lost": Definition(
        "They have not bought, and it is known why.",
        "Do we know why?",
        "Write down the reason",
        "lost_at is not empty and lost_reason is not empty",
    ),
}
