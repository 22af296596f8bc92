"""Default definitions of contact and lead stages, editable by admins (sources 000, 001 and 003).

Contact stages are defined here because their criteria read leads and opportunities.
"""

from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.definitions import Definition
from leads.axes import NEXT_ACTION

IN_PROGRESS = "stage in (prospecting, qualification, proposal, negotiation)"  # not a text
# The guard's lead_score, for contacts with an open lead: over all contacts this is one pass over the leads, while
# lead_score looks up each contact's lead.
SCORES = "any leads (status in (new, working, qualified) and qualification_score >= 40)"  # not a text
AUTOMATIC = _("Automatic")

LIFECYCLE_DEFINITIONS = {
    "lead": Definition(
        _("A prospect you haven’t yet qualified."),
        _("Does this customer fit our ICP?"),
        _("Check fit and qualify"),
        "email is not empty or phone is not empty or mobile is not empty",  # not a text
        f"email is not empty and {SCORES} and last_activity <= 30 days ago",  # not a text
    ),
    "qualified": Definition(
        _("Good fit with a reason to act now."),
        _("Is there a clear reason to intervene now?"),
        _("Create an opportunity"),
        "email is not empty and lead_score >= 40",  # not a text
        f"any opportunities ({IN_PROGRESS} or stage_kind = won) and last_activity <= 14 days ago",  # not a text
    ),
    "customer": Definition(
        _("Has signed, paid or converted."),
        _("Has initial value been delivered?"),
        _("Deliver first value"),
        "any opportunities (stage_kind = won)",  # not a text
        "last_activity > 365 days ago",  # not a text
    ),
    "lost": Definition(
        _("A prospect who didn’t buy. Kept on file, out of active views."),
        _("Is this worth another try?"),
        _("Revisit when something changes"),
        f"not any opportunities ({IN_PROGRESS} or stage_kind = won)",  # not a text
    ),
    "churned": Definition(
        _("A former customer."),
        _("Is this account worth reactivating?"),
        _("Ask why they left"),
        "any opportunities (stage_kind = won) and last_activity > 90 days ago",  # not a text
    ),
    "partner": Definition(
        _("A partner, not a sales prospect."),
        _("What do we work on together?"),
        _("Agree on the next joint step"),
        "company is not empty",  # not a text
    ),
}

STATUS_DEFINITIONS = {
    "new": Definition(
        _("Just created, awaiting first contact."),
        _("Who will contact them, and when?"),
        _("Make first contact"),
        "contacted_at is empty",  # not a text
        "contacted_at is not empty",  # not a text
        expected_days=1,
    ),
    "working": Definition(
        _("A sales rep is actively engaging with the lead."),
        _("What’s missing before they qualify?"),
        _("Keep engaging until the score reaches Sales Qualified"),
        "contacted_at is not empty or qualification_score >= 40",  # not a text
        "contact.email is not empty and qualification_score >= 70"
        " and contact.last_activity <= 14 days ago",  # not a text
        expected_days=28,
    ),
    "qualified": Definition(
        _("The lead has reached Sales Qualified."),
        _("Is there an opportunity to create?"),
        _("Convert to an opportunity"),
        "qualified_date is not empty",  # not a text
        "stage = sales_qualified and contact.role = decision_maker"
        " and contact.last_activity <= 14 days ago",  # not a text
        keeper=AUTOMATIC,
        expected_days=14,
    ),
    "converted": Definition(
        _("An opportunity was created from this lead."),
        _("Is the next step and buyer visible?"),
        _("Work the pipeline"),
        "opportunity is not empty or won_at is not empty",  # not a text
        keeper=AUTOMATIC,
    ),
    "lost": Definition(
        _("Rejected or unresponsive."),
        _("Do we know why?"),
        _("Record the lost reason"),
        "lost_date is not empty",  # not a text
    ),
}

STAGE_DEFINITIONS = {
    "top_of_funnel": Definition(
        _("Early interest, needs nurturing."),
        _("What would make them interested?"),
        NEXT_ACTION["top_of_funnel"],
        "qualification_score < 40",
        "qualification_score >= 40",
        keeper=AUTOMATIC,
    ),
    "marketing_qualified": Definition(
        _("Shows promise, warrants attention."),
        _("Who decides, and do they have the problem we solve?"),
        NEXT_ACTION["marketing_qualified"],
        "qualification_score >= 40",
        "qualification_score >= 70",
        keeper=AUTOMATIC,
    ),
    "sales_qualified": Definition(
        _("Ready for active sales engagement."),
        _("Is there a clear reason to intervene now?"),
        NEXT_ACTION["sales_qualified"],
        "qualification_score >= 70",
        "opportunity is not empty",  # not a text
        keeper=AUTOMATIC,
    ),
    "opportunity": Definition(
        _("Converted to opportunity record."),
        _("Is the next step and buyer visible?"),
        NEXT_ACTION["opportunity"],
        "opportunity is not empty",  # not a text
        keeper=AUTOMATIC,
    ),
}
