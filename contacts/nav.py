"""The settings of companies in the frame."""

from crm.kit import nav
from crm.kit.translation import gettext_lazy as _
from crm.users.roles import LOWEST_ROLE, Right

nav.register(
    nav.NavItem(_("Free email domains"), "free_mail", "at-sign", 54, nav.DATA, role=LOWEST_ROLE[Right.WORKSPACE])
)
