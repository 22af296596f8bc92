"""What can happen to how people arrange their dashboard, and have it mailed. Forecasts are worked out, not audited."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("dashboard_layout", "dashboards.Layout")
register("dashboard_mail", "dashboards.Subscription")
declare(
    EventType("dashboard_layout.updated", "UPDATE", "arranged the dashboard", icon="layout-dashboard"),
    EventType("dashboard_mail.updated", "UPDATE", "chose when the dashboard is mailed", icon="mail"),
    EventType("dashboard_mail.due", "", "is to be mailed the dashboard"),
)
