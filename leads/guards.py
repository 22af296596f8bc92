"""The score guard on qualification (source 002, Verb Lifecycle; DESIGN 1.1)."""

from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.guards import ship_guard

ship_guard("contact", "qualify", "lead_score >= 40", _("Lead score too low"))
