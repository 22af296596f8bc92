"""Where the definitions stand in the sidebar."""

from crm.kit.nav import NavItem, register

register(NavItem("Lifecycle", "lifecycle", "book-open-check", 80, key="l"))
