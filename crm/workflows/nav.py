"""Workflow parts of other pages: a panel, a list action, timeline authors and settings."""

from crm.kit import nav
from crm.kit.nav import NavItem
from crm.kit.translation import gettext_lazy as _
from crm.users.roles import LOWEST_ROLE, Right
from crm.workflows import authors, bulk, panels  # noqa: F401
from crm.workflows.steps import campaigns, flow, records, telling  # noqa: F401

panels.show()
bulk.offer()
nav.register(NavItem(_("Workflows"), "workflows", "workflow", 46, nav.AUTOMATION, role=LOWEST_ROLE[Right.WORKSPACE]))
