"""Stage requirements in the Django admin."""

from django.contrib import admin

from crm.lifecycle.models import Guard
from crm.lifecycle.verbs.save_guard import save_guard
from crm.users.admin import actor_in
from crm.users.admin_site import TriedForm, WorkspaceModelAdmin


@admin.register(Guard)
class GuardAdmin(WorkspaceModelAdmin):
    """Stage requirements. Unwanted ones are deactivated."""

    form = TriedForm
    list_display = ["verb", "entity", "condition", "message", "is_active", "workspace"]
    list_filter = ["entity", "is_active"]
    fields = ["entity", "verb", "condition", "message", "position", "is_active"]

    def has_add_permission(self, request):
        return request.actor is not None and self.has_change_permission(request)

    def save_model(self, request, obj, form, change):
        save_guard(obj, by=actor_in(request, obj.workspace_id or request.actor.workspace_id))
