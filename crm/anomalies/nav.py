"""Where the exceptions stand in the sidebar."""

from crm.anomalies.listing import open_findings
from crm.kit.nav import NavItem, register

register(NavItem("Exceptions", "exceptions", "shield-alert", 70, count=open_findings, key="x"))
