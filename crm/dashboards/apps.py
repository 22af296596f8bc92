from django.apps import AppConfig
from django.db.backends.signals import connection_created

from crm.dashboards.percentile import register_percentile


class DashboardsConfig(AppConfig):
    name = "crm.dashboards"
    label = "dashboards"

    def ready(self):
        connection_created.connect(register_percentile, dispatch_uid="percentile")
