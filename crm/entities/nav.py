"""The settings of fields in the frame."""

from crm.kit import nav
from crm.kit.translation import gettext_lazy as _
from crm.users.roles import LOWEST_ROLE, Right

FIELDS = nav.NavItem(_("Fields"), "fields", "table-properties", 52, nav.DATA, role=LOWEST_ROLE[Right.WORKSPACE])
nav.register(FIELDS)
