"""The sidebar entry of the dashboard."""

from crm.dashboards import parts  # noqa: F401  (they register themselves)
from crm.kit.nav import NavItem, register
from crm.kit.translation import gettext_lazy as _

register(NavItem(_("Dashboard"), "dashboard", "chart-column", 60, key="d"))
