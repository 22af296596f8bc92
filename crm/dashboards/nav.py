"""Where the dashboard stands in the sidebar."""

from crm.kit.nav import NavItem, register

register(NavItem("Dashboard", "dashboard", "chart-column", 60, key="d"))
