"""Default stage requirements of contacts (source 002, Verb Lifecycle); the leads app adds the score's."""

from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.guards import ship_guard

CONDITION = "email is not empty"  # not a text
ship_guard("contact", "qualify", CONDITION, _("Email required for qualification"))
