"""Workspaces, teams, memberships and users in the Django admin. All changes use the settings pages' verbs."""

from dataclasses import replace

from django.contrib import admin, messages
from django.db.models import OuterRef, Subquery

from audit.models import Entry
from crm.events.models import Delivery
from crm.kit import formats
from crm.kit.actor import Actor, Channel, Role, system
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import ngettext
from crm.users.admin_site import WorkspaceModelAdmin
from crm.users.models import Invitation, Membership, Team, User, Workspace
from crm.users.verbs.change_role import change_role
from crm.users.verbs.change_team import change_team
from crm.users.verbs.deactivate_member import deactivate_member
from crm.users.verbs.edit_workspace import edit_workspace
from crm.users.verbs.reactivate_member import reactivate_member
from crm.users.verbs.rename_team import rename_team


def actor_in(request, workspace_id: int) -> Actor:
    """Return the user as an actor in that workspace: a member in their own, an operator elsewhere."""
    if request.actor and request.actor.workspace_id == workspace_id:
        return request.actor
    return replace(system(workspace_id, Channel.ADMIN), name=str(request.user))


@admin.register(Workspace)
class WorkspaceAdmin(WorkspaceModelAdmin):
    workspace_path = "pk"
    list_display = ["name", "slug", "timezone", "country", "currency", "require_mfa", "created_at"]
    search_fields = ["name", "slug"]
    fields = ["slug", "name", "timezone", "country", "currency", "require_mfa", "created_at"]
    readonly_fields = ["slug", "created_at"]

    def save_model(self, request, obj, form, change):
        with in_workspace(obj):
            edit_workspace(**form.cleaned_data, by=actor_in(request, obj.pk))


@admin.register(Team)
class TeamAdmin(WorkspaceModelAdmin):
    list_display = ["name", "workspace_name"]
    list_select_related = ["workspace"]
    search_fields = ["name"]
    fields = ["workspace_name", "name"]
    readonly_fields = ["workspace_name"]

    def save_model(self, request, obj, form, change):
        rename_team(obj, obj.name, by=actor_in(request, obj.workspace_id))


@admin.register(Membership)
class MembershipAdmin(WorkspaceModelAdmin):
    list_display = ["user", "workspace_name", "role", "team", "is_active", "created_at"]
    list_select_related = ["user", "workspace", "team"]
    list_filter = ["role", "is_active"]
    search_fields = ["user__email", "user__name"]
    fields = ["workspace_name", "user", "role", "team", "is_active", "created_at"]
    readonly_fields = ["workspace_name", "user", "created_at"]

    def save_model(self, request, obj, form, change):
        by = actor_in(request, obj.workspace_id)
        if "role" in form.changed_data:
            change_role(obj, Role(obj.role), by=by)
        if "team" in form.changed_data:
            change_team(obj, obj.team, by=by)
        if "is_active" in form.changed_data:
            (reactivate_member if obj.is_active else deactivate_member)(obj, by=by)


@admin.register(Invitation)
class InvitationAdmin(WorkspaceModelAdmin):
    list_display = ["email", "workspace_name", "role", "team", "expires_at", "accepted_at"]
    list_select_related = ["workspace", "team"]
    search_fields = ["email"]
    exclude = ["workspace", "token_hash"]
    readonly_fields = ["workspace_name"]

    def has_change_permission(self, request, obj=None):
        """Deny changes: invitations are sent and withdrawn on the members page."""
        return False


@admin.register(User)
class UserAdmin(WorkspaceModelAdmin):
    workspace_path = "memberships__workspace_id"
    list_display = ["email", "name", "is_active", "is_superuser", "last_login"]
    search_fields = ["email", "name"]
    fields = ["email", "name", "is_active", "is_superuser", "last_login", "date_joined"]
    readonly_fields = ["email", "last_login", "date_joined"]

    def has_change_permission(self, request, obj=None):
        """Allow operators only: an account may belong to several workspaces."""
        return request.user.is_superuser


@admin.register(Entry)
class EntryAdmin(WorkspaceModelAdmin):
    """The audit log, read-only."""

    list_display = ["at", "event", "action", "entity", "entity_id", "who", "channel", "severity", "note"]
    list_filter = ["action", "entity", "channel", "severity", "category"]
    search_fields = ["=event", "=change"]
    exclude = ["workspace_id"]
    readonly_fields = ["workspace_name"]
    ordering = ["-at", "-id"]
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request):
        """Annotate the actor's email; the log stores keys."""
        people = Membership.objects.unscoped().filter(pk=OuterRef("member_id")).values("user__email")
        return super().get_queryset(request).annotate(who=Subquery(people[:1]))

    @admin.display(ordering="member_id", description=_("member"))
    def who(self, entry) -> str:
        return entry.who or "Throughline"

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Delivery)
class DeliveryAdmin(WorkspaceModelAdmin):
    """Event deliveries: pending and dead ones with reasons, and retry."""

    list_display = ["event", "handler", "state", "attempts", "due_at", "last_error", "recorded_at"]
    list_select_related = ["event"]
    list_filter = ["state", "handler"]
    exclude = ["workspace_id"]
    readonly_fields = ["workspace_name"]
    ordering = ["done_at", "-event"]  # for SQLite and for display: unfinished ones together
    list_per_page = 50
    show_full_result_count = False
    actions = ["run_again"]

    @admin.display(ordering="event__recorded_at", description=_("recorded at"))
    def recorded_at(self, delivery):
        return delivery.event.recorded_at

    @admin.action(description=_("Retry failed jobs"))
    def run_again(self, request, queryset):
        count = Delivery.objects.unscoped().filter(pk__in=queryset.values("pk")).retry()
        sentence = ngettext("{count} job will be retried.", "{count} jobs will be retried.", count)
        self.message_user(request, sentence.format(count=formats.number(count)), messages.SUCCESS)

    def has_change_permission(self, request, obj=None):
        return False
