from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self):
        from audit.append_only import protect_log

        post_migrate.connect(protect_log, sender=self)
