"""What the stages of contacts and leads mean, where nobody has written it anew (sources 000, 001 and 003).

Those of the contact stand here, not with the contact: what one sees of them are its leads and opportunities.
"""

from crm.lifecycle.definitions import Definition
from leads.axes import NEXT_ACTION

IN_PROGRESS = "stage in (prospecting, qualification, proposal, negotiation)"
# The guard's lead_score, for people who have an open lead: asked of all contacts at once it is one pass over the leads,
# where lead_score looks for each contact's lead by itself.
SCORES = "any leads (status in (new, working, qualified) and qualification_score >= 40)"
AUTOMATIC = "Automatic"

LIFECYCLE_DEFINITIONS = {
    "lead": Definition(
        "A prospect you have not yet qualified.",
        "Does this customer fit our ICP?",
        "Find out whether they fit, and have them qualified",
        "email is not empty or phone is not empty or mobile is not empty",
        f"email is not empty and {SCORES} and last_activity <= 30 days ago",
    ),
    "qualified": Definition(
        "They fit, and there is a reason to work on them now.",
        "Is there a clear reason to intervene now?",
        "Open an opportunity with them",
        "email is not empty and lead_score >= 40",
        f"any opportunities ({IN_PROGRESS} or stage = won) and last_activity <= 14 days ago",
    ),
    "customer": Definition(
        "They have signed, paid or converted.",
        "Has initial value been delivered?",
        "See that they get what they bought",
        "any opportunities (stage = won)",
        "last_activity > 365 days ago",
    ),
    "lost": Definition(
        "A prospect who did not buy; kept, and out of the daily work.",
        "Is this worth another try?",
        "Look at them again when something has changed",
        f"not any opportunities ({IN_PROGRESS} or stage = won)",
    ),
    "churned": Definition(
        "They bought once, and have left.",
        "Is this account worth reactivating?",
        "Ask why they left",
        "any opportunities (stage = won) and last_activity > 90 days ago",
    ),
    "partner": Definition(
        "We work with them rather than sell to them.",
        "What do we do together?",
        "Agree on the next thing to do together",
        "company is not empty",
    ),
}

STATUS_DEFINITIONS = {
    "new": Definition(
        "Just opened, awaiting the first contact.",
        "Who speaks with them, and when?",
        "Make the first contact",
        "contacted_at is empty",
        "contacted_at is not empty",
        expected_days=1,
    ),
    "working": Definition(
        "Somebody is actively engaging with the lead.",
        "What is missing until they are qualified?",
        "Get to know them, until the score says that they are ready",
        "contacted_at is not empty or qualification_score >= 40",
        "contact.email is not empty and qualification_score >= 70 and contact.last_activity <= 14 days ago",
        expected_days=28,
    ),
    "qualified": Definition(
        "The lead has reached Sales Qualified.",
        "Is there a deal to open?",
        "Convert it to an opportunity",
        "qualified_date is not empty",
        "stage = sales_qualified and contact.role = decision_maker and contact.last_activity <= 14 days ago",
        keeper=AUTOMATIC,
        expected_days=14,
    ),
    "converted": Definition(
        "An opportunity was opened from it.",
        "Is the next step and buyer visible?",
        "Work the pipeline",
        "opportunity is not empty or won_at is not empty",
        keeper=AUTOMATIC,
    ),
    "lost": Definition(
        "Rejected, or they did not answer.",
        "Do we know why?",
        "Write down the reason",
        "lost_date is not empty",
    ),
}

STAGE_DEFINITIONS = {
    "top_of_funnel": Definition(
        "Early interest, needs nurturing.",
        "What would make them interested?",
        NEXT_ACTION["top_of_funnel"],
        "qualification_score < 40",
        "qualification_score >= 40",
        keeper=AUTOMATIC,
    ),
    "marketing_qualified": Definition(
        "Shows promise, warrants attention.",
        "Who decides there, and do they have the problem?",
        NEXT_ACTION["marketing_qualified"],
        "qualification_score >= 40",
        "qualification_score >= 70",
        keeper=AUTOMATIC,
    ),
    "sales_qualified": Definition(
        "Ready for active sales engagement.",
        "Is there a clear reason to intervene now?",
        NEXT_ACTION["sales_qualified"],
        "qualification_score >= 70",
        "opportunity is not empty",
        keeper=AUTOMATIC,
    ),
    "opportunity": Definition(
        "Converted: there is a deal in progress, or was.",
        "Is the next step and buyer visible?",
        NEXT_ACTION["opportunity"],
        "opportunity is not empty",
        keeper=AUTOMATIC,
    ),
}
