from django.apps import AppConfig


class ListsConfig(AppConfig):
    name = "crm.lists"
    label = "lists"

    def ready(self):
        from crm.kit.nav import register_fact
        from crm.lists import events  # noqa: F401
        from crm.lists.state import saved_views

        register_fact("saved_views", saved_views)
