"""What the status of a contact means, where nobody has written it anew; its stages are defined by the leads app."""

from crm.lifecycle.definitions import Definition

STATUS_DEFINITIONS = {
    "active": Definition(
        "They can be reached.",
        "When did we last hear from them?",
        "Keep in touch",
        "email is not empty or phone is not empty or mobile is not empty",
        "last_activity > 365 days ago",
    ),
    "inactive": Definition(
        "They can be reached, and nothing has happened for long.",
        "Is it worth writing to them?",
        "Write to them, or let them be",
        "last_activity > 365 days ago",
        "last_activity <= 30 days ago",
    ),
    "bounced": Definition(
        "Mail to them comes back.",
        "Do we have another address?",
        "Find an address that works, or call",
        "email is not empty",
        "last_engagement <= 30 days ago or phone is not empty",
    ),
    "unsubscribed": Definition(
        "They do not want mail from us.",
        "Did they tell us how they want to be reached?",
        "Do not write to them; call if they agreed to it",
        "email is not empty",
        "marketing_consent is not empty",
    ),
}
