from django.apps import AppConfig


class ListsConfig(AppConfig):
    name = "crm.lists"
    label = "lists"

    def ready(self):
        from audit.undo.hooks import on_undo
        from crm.kit.nav import register_fact
        from crm.lists import events, jobs, uses  # noqa: F401 (they register themselves)
        from crm.lists.imports.undone import mark_undone
        from crm.lists.state import saved_views

        on_undo(mark_undone)
        register_fact("saved_views", saved_views)
