from django.apps import AppConfig
from django.db.models.signals import post_migrate

from crm.kit.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit log")

    def ready(self):
        from audit.append_only import protect_log

        post_migrate.connect(protect_log, sender=self)
