from django.apps import AppConfig


class LifecycleConfig(AppConfig):
    name = "crm.lifecycle"
    label = "lifecycle"

    def ready(self):
        from audit.undo import on_undo
        from crm.events.reactions import react
        from crm.lifecycle import events  # noqa: F401
        from crm.lifecycle.guards import install_shipped
        from crm.lifecycle.undone import mark_undone

        on_undo(mark_undone)
        react("workspace.created", lambda rows, by: install_shipped())
