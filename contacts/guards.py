"""The stage requirements that contacts ship with (source 002, Verb Lifecycle); leads add that of the score."""

from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.guards import ship_guard

CONDITION = "email is not empty"  # not a text
ship_guard("contact", "qualify", CONDITION, _("Email required for qualification"))
