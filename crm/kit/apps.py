from django.apps import AppConfig

from crm.kit.registry import discover


class KitConfig(AppConfig):
    name = "crm.kit"
    label = "kit"

    def ready(self):
        discover()
