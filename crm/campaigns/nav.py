"""Where campaigns stand in the sidebar."""

from crm.kit.nav import NavItem, register

register(NavItem("Campaigns", "campaigns", "megaphone", 55, key="m"))
