"""The settings of pipelines in the frame."""

from crm.kit import nav
from crm.kit.translation import gettext_lazy as _
from crm.users.roles import LOWEST_ROLE, Right

nav.register(
    nav.NavItem(_("Pipelines"), "pipelines", "square-kanban", 44, nav.PROCESS, role=LOWEST_ROLE[Right.WORKSPACE])
)
