"""The migration in the Django admin: figures, and every legacy lead with its result."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from crm.kit import formats
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.dropping.conditions import confirmations, missing, status
from crm.legacy_leads.models import LegacyLead, LegacyVisit, MigrationRun, OldLeads
from crm.users.admin_site import WorkspaceModelAdmin

FIGURES = ["leads", "created", "reused", "left", "refused", "opportunities"]
MONEY = ["amount_in", "amount_opportunities", "amount_listed"]


def _link(record) -> str:
    return format_html('<a href="{}">{}</a>', record.get_absolute_url(), record) if record else "—"


@admin.register(MigrationRun)
class MigrationRunAdmin(WorkspaceModelAdmin):
    """Migrations of legacy leads, read-only: run them in Settings → Lead migration or by command."""

    list_display = ["started_at", "state", *FIGURES, "committed_at", "undone_at", "workspace"]
    list_select_related = ["workspace"]
    ordering = ["-pk"]
    fields = [
        "state", "include_lost", *FIGURES, *MONEY, "every_lead", "kept", "started_at", "committed_at", "undone_at",
        "member", "workspace",
    ]  # fmt: skip
    readonly_fields = ["every_lead"]

    @admin.display(description=_("Outcomes"))
    def every_lead(self, run):
        url = reverse("admin:legacy_leads_legacylead_changelist")
        return format_html('<a href="{}?run__id__exact={}">{}</a>', url, run.pk, gettext("Outcome of each lead"))

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(LegacyLead)
class LegacyLeadAdmin(WorkspaceModelAdmin):
    """Legacy leads and their results, read-only."""

    list_display = [
        "name", "email", "status", "value", "outcome", "outcome_note", "contact_link", "opportunity_link", "value_note",
    ]  # fmt: skip
    list_select_related = ["became_contact", "became_opportunity"]
    list_filter = ["outcome", "status"]
    search_fields = ["search_text", "=external_id", "=public_id"]
    ordering = ["-created_at", "-pk"]
    list_per_page = 50
    show_full_result_count = False
    exclude = ["custom", "search_text", "name_key"]

    def lookup_allowed(self, lookup, value, request=None):
        return lookup == "run__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("Estimated value"), ordering="estimated_value")
    def value(self, lead):
        return formats.money(lead.estimated_value, lead.currency) if lead.estimated_value else "—"

    @admin.display(description=_("Contact"))
    def contact_link(self, lead):
        return _link(lead.became_contact)

    @admin.display(description=_("Opportunity"))
    def opportunity_link(self, lead):
        return _link(lead.became_opportunity)

    def has_change_permission(self, request, obj=None):
        """Deny all changes: edit them in the legacy workspace, while it is open."""
        return False


@admin.register(OldLeads)
class OldLeadsAdmin(WorkspaceModelAdmin):
    """A workspace's retired table: its readers, and the unmet conditions for dropping it."""

    list_display = ["workspace", "last_read", "may_go", "dropped_at"]
    list_select_related = ["workspace"]
    fields = ["last_read", "readers", "may_go", "confirmed", "rows", "exported_at", "rehearsed_at", "lacking"]
    readonly_fields = ["last_read", "readers", "may_go", "confirmed", "lacking"]

    @admin.display(description=_("Last read"))
    def last_read(self, retired):
        with in_workspace(retired.workspace):
            return status().last_read or gettext("Never")

    @admin.display(description=_("Readers since the migration"))
    def readers(self, retired):
        url = reverse("admin:legacy_leads_legacyvisit_changelist")
        return format_html('{} · <a href="{}">{}</a>', formats.number(status().readers), url, gettext("All reads"))

    @admin.display(description=_("Can be dropped from"))
    def may_go(self, retired):
        """Return when it can be dropped, if not read until then."""
        with in_workspace(retired.workspace):
            droppable = status().droppable
        return formats.day(timezone.localtime(droppable)) if droppable else gettext("Not migrated yet")

    @admin.display(description=_("Confirmed by"))
    def confirmed(self, retired):
        run = status().run
        given = confirmations(run) if run and run.committed_at else []
        return ", ".join(map(str, given)) or gettext("No one")

    @admin.display(description=_("Unmet conditions"))
    def lacking(self, retired):
        if retired.dropped_at:
            return gettext("None. The table was dropped.")
        # No list: the admin's style sheet indents one by a label's width.
        found = format_html_join("", "<div>{}</div>", ((sentence,) for sentence in missing(retired)))
        return found or gettext("None. Run manage.py drop_legacy_leads once every workspace is ready.")

    def has_change_permission(self, request, obj=None):
        """Deny all changes: commands export and drop it, admins confirm in Settings → Lead migration."""
        return False


@admin.register(LegacyVisit)
class LegacyVisitAdmin(WorkspaceModelAdmin):
    """Readers of the retired table, by day and place."""

    list_display = ["last_at", "reader", "place", "reads", "workspace"]
    list_select_related = ["workspace", "member__user"]
    ordering = ["-last_at", "-pk"]

    @admin.display(description=_("Reader"))
    def reader(self, visit):
        """Return the member; without one it was a command or an operator."""
        return visit.member or gettext("System")

    def has_change_permission(self, request, obj=None):
        return False
