"""The Django admin for a workspace's admins (their workspace) and for superusers (all workspaces)."""

from collections.abc import Callable
from contextlib import nullcontext
from copy import copy

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator

from crm.kit.errors import DomainError, InUse, Invalid
from crm.kit.responses import show_errors
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Workspace
from crm.users.roles import Right, may


class WorkspaceAdminSite(admin.AdminSite):
    """Admin site entered by role, with the product's own sign-in; is_staff is not used."""

    site_header = site_title = _("Throughline admin")
    index_title = _("Workspace administration")

    def has_permission(self, request):
        """Allow superusers, and members whose role includes the admin pages."""
        if not request.user.is_active:
            return False
        return request.user.is_superuser or (request.actor is not None and may(request.actor, Right.ADMIN_SITE))

    @method_decorator(login_not_required)
    def login(self, request, extra_context=None):
        """Redirect to the only sign-in form; refuse signed-in users without the role."""
        if request.user.is_authenticated:
            raise PermissionDenied(gettext("Only admins can open the admin console."))
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def logout(self, request, extra_context=None):
        return redirect("account_logout")

    def password_change(self, request, extra_context=None):
        return redirect("account_change_password")


class TriedForm(forms.ModelForm):
    """Runs the page's verb and rolls it back, to show its errors on the fields."""

    attempt: Callable[[models.Model], object]

    def _post_clean(self):
        super()._post_clean()
        if self.errors:
            return
        try:
            with transaction.atomic():
                type(self).attempt(copy(self.instance))
                transaction.set_rollback(True)
        except (Invalid, InUse) as error:
            show_errors(self, error)


class WorkspaceModelAdmin(admin.ModelAdmin):
    """Records of one workspace: admins see their workspace's, superusers all. Deletion is disabled.

    `workspace_path` leads from the record to its workspace's id. Changes go through verbs: override `save_model`.
    """

    workspace_path = "workspace_id"

    @admin.display(ordering="workspace_id", description=_("workspace"))
    def workspace_name(self, record):
        return getattr(record, "workspace", None) or Workspace.objects.filter(pk=record.workspace_id).first()

    def get_queryset(self, request):
        """Return all rows, limited to the workspace unless the user is a superuser."""
        manager = self.model._default_manager
        rows = manager.unscoped() if hasattr(manager, "unscoped") else manager.all()
        rows = rows.select_related(*self.list_select_related or ())
        return rows if request.user.is_superuser else rows.filter(**{self.workspace_path: request.actor.workspace_id})

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Render the form in the record's own workspace, whose rows its fields offer."""
        record = self.get_object(request, object_id) if object_id else None
        scope = in_workspace(record.workspace) if hasattr(record, "workspace") else nullcontext()
        try:
            with scope:
                response = super().changeform_view(request, object_id, form_url, extra_context)
                # Rendered here, not by the handler: following foreign keys needs the scope.
                return response.render() if hasattr(response, "render") else response
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(request.path)

    def lookup_allowed(self, lookup, value, request=None):
        """Allow only the page's filters: ?password__startswith=… would read a hash letter by letter."""
        return lookup.split("__")[0] in self.list_filter

    def get_form(self, request, obj=None, change=False, **kwargs):
        """Return the form; a TriedForm gets its verb from `save_model`."""
        form = super().get_form(request, obj, change, **kwargs)
        if issubclass(form, TriedForm):
            form.attempt = staticmethod(lambda instance: self.save_model(request, instance, None, change))
        return form

    def has_module_permission(self, request):
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request, obj=None):
        return self.admin_site.has_permission(request)

    def has_change_permission(self, request, obj=None):
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
