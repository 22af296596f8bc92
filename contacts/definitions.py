"""Default definitions of the contact statuses, editable by admins. The leads app defines the stages."""

from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.definitions import Definition

STATUS_DEFINITIONS = {
    "active": Definition(
        _("Reachable."),
        _("When did we last hear from them?"),
        _("Keep in touch"),
        "email is not empty or phone is not empty or mobile is not empty",  # not a text
        "last_activity > 365 days ago",  # not a text
    ),
    "inactive": Definition(
        _("Reachable, but no activity for a long time."),
        _("Is it worth writing to them?"),
        _("Re-engage or leave inactive"),
        "last_activity > 365 days ago",  # not a text
        "last_activity <= 30 days ago",  # not a text
    ),
    "bounced": Definition(
        _("Emails to this address bounce."),
        _("Do we have another address?"),
        _("Find a working email or call"),
        "email is not empty",  # not a text
        "last_engagement <= 30 days ago or phone is not empty",  # not a text
    ),
    "unsubscribed": Definition(
        _("Opted out of email."),
        _("Did they tell us how they want to be contacted?"),
        _("Don’t email – call only with consent"),
        "email is not empty",  # not a text
        "marketing_consent is not empty",  # not a text
    ),
}
