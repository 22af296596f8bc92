from django.apps import AppConfig


class LifecycleConfig(AppConfig):
    name = "crm.lifecycle"
    label = "lifecycle"

    def ready(self):
        from audit.undo import on_undo
        from crm.lifecycle.undone import mark_undone

        on_undo(mark_undone)
