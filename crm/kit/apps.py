from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "crm.kit"
    label = "kit"

    def ready(self):
        from crm.kit import checks  # noqa: F401  (registers them)
