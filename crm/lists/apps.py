from django.apps import AppConfig


class ListsConfig(AppConfig):
    name = "crm.lists"
    label = "lists"

    def ready(self):
        from crm.lists import events  # noqa: F401
