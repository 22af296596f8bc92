"""The settings of all records in the frame."""

from crm.kit import nav
from crm.kit.translation import gettext_lazy as _
from crm.users.roles import LOWEST_ROLE, Right

AUDIT = nav.NavItem(_("Audit log"), "audit_log", "history", 78, nav.SECURITY, role=LOWEST_ROLE[Right.WORKSPACE])
nav.register(AUDIT)
