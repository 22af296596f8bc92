from django.apps import AppConfig


class LifecycleConfig(AppConfig):
    name = "crm.lifecycle"
    label = "lifecycle"

    def ready(self):
        from audit.undo.hooks import on_undo
        from crm.events.reactions import react
        from crm.lifecycle import events, nav, uses  # noqa: F401
        from crm.lifecycle.axes import all_axes
        from crm.lifecycle.condition_fields import declare
        from crm.lifecycle.guards import install_shipped
        from crm.lifecycle.undone import mark_undone

        for axis in all_axes():  # upper apps are ready before this one, and have registered theirs
            declare(axis)
        on_undo(mark_undone)
        react("workspace.created", lambda rows, by: install_shipped())
