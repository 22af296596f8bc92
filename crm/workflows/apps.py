from django.apps import AppConfig

from crm.kit import nav
from crm.kit.nav import NavItem


class WorkflowsConfig(AppConfig):
    name = "crm.workflows"
    label = "workflows"

    def ready(self):
        """Declare events, steps and shipped workflows; answer to what happens; put pages and panels into the frame."""
        import contacts.lists  # noqa: F401
        import crm.opportunities.lists  # noqa: F401
        import leads.lists  # noqa: F401
        from contacts.hooks import on_author
        from crm.lists.imports.registry import on_report
        from crm.users.roles import LOWEST_ROLE, Right
        from crm.workflows import anomalies, bulk, events, handlers, jobs, panels, uses  # noqa: F401
        from crm.workflows.authors import named
        from crm.workflows.steps import campaigns, flow, records, telling  # noqa: F401

        on_author(named)
        panels.show()
        bulk.offer()
        on_report(panels.held)
        nav.register(NavItem("Workflows", "workflows", "workflow", 46, nav.SETTINGS, role=LOWEST_ROLE[Right.WORKSPACE]))
