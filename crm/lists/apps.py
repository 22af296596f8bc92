from django.apps import AppConfig


class ListsConfig(AppConfig):
    name = "crm.lists"
    label = "lists"

    def ready(self):
        from audit.undo import on_undo
        from crm.lists import events  # noqa: F401
        from crm.lists.imports.undone import mark_undone

        on_undo(mark_undone)
