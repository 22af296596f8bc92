"""Events of dashboard layouts and subscriptions. Forecasts are computed, not audited."""

from audit.subjects import register
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("dashboard_layout", "dashboards.Layout")
register("dashboard_mail", "dashboards.Subscription")
declare(
    EventType(
        "dashboard_layout.updated",
        "UPDATE",
        _("Dashboard layout changed"),
        _("{who} changed the dashboard layout"),
        icon="layout-dashboard",
    ),
    EventType(
        "dashboard_mail.updated",
        "UPDATE",
        _("Dashboard email changed"),
        _("{who} changed the dashboard email"),
        icon="mail",
    ),
    EventType("dashboard_mail.due", "", _("Dashboard email due")),
)
