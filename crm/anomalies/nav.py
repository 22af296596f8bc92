"""The sidebar entry of exceptions."""

from crm.anomalies.listing import open_findings
from crm.kit.nav import NavItem, register
from crm.kit.translation import gettext_lazy as _

register(NavItem(_("Exceptions"), "exceptions", "shield-alert", 70, count=open_findings, key="x"))
