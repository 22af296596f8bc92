"""The legacy lead's record type while its workspace is open, and its other integrations."""

from audit import subjects
from contacts.hooks import show_in_contact_timeline
from contacts.timeline import linked_record_timeline
from crm.events import registry as events
from crm.events.registry import EventType
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads import merging, nav, reads  # noqa: F401  (they register themselves)
from crm.legacy_leads.entities import LEGACY_LEAD
from crm.legacy_leads.imports.importer import LegacyLeadImporter
from crm.legacy_leads.lists import LEGACY_LEADS
from crm.legacy_leads.moving import background, undo  # noqa: F401  (likewise)
from crm.legacy_leads.panels import legacy_panel
from crm.legacy_leads.timeline import names
from crm.legacy_leads.urls import urlpatterns
from crm.legacy_leads.verbs.create_legacy_leads import create_legacy_leads
from crm.legacy_leads.views import legacy_lead_page, while_open
from crm.records.declare import common_record_events, declare
from crm.records.panels import register as show_panel
from crm.records.registry import RecordType

LEGACY_LEAD_TYPE = declare(
    RecordType(
        entity=LEGACY_LEAD,
        events=(
            *common_record_events(
                "legacy_lead",
                icon="archive",
                created=(_("Legacy lead created"), _("{who} created this legacy lead")),
                updated=(_("Legacy lead changed"), _("{who} changed this legacy lead")),
                assigned=(_("Legacy lead assigned"), _("{who} assigned this legacy lead")),
                deleted=(_("Legacy lead moved to trash"), _("{who} moved this legacy lead to the trash")),
                restored=(_("Legacy lead restored"), _("{who} restored this legacy lead")),
            ),
            EventType(
                "legacy_lead.migrated",
                "MIGRATE",
                _("Legacy lead migrated"),
                _("{who} migrated this legacy lead to its contact"),
                "Migrated",
                "archive",
            ),
        ),
        person="became_contact_id",
        create=create_legacy_leads,
        related=("contact", "owner__user", "team"),
        timeline=linked_record_timeline,
        about=lambda lead: {"contact_id": lead.contact_id} if lead.contact_id else {},
        hint="email",
        listing=LEGACY_LEADS,
        nav=(),  # shown if there are any: see nav.py
        importer=LegacyLeadImporter,
        files=("export",),
        template="legacy_leads/lead.html",
        page=legacy_lead_page,
        urls=urlpatterns,
        gate=while_open,
        in_workflows=False,
    )
)
show_panel("contact", legacy_panel)
show_in_contact_timeline("legacy_lead", names=names)

subjects.register("old_leads", "legacy_leads.OldLeads")
events.declare(
    EventType(
        "old_leads.opened",
        "CREATE",
        _("First legacy lead created"),
        _("{who} created the first legacy lead"),
        "Opened",
        "archive",
    ),
    EventType(
        "old_leads.exported",
        "EXPORT",
        _("Legacy leads exported"),
        _("{who} exported the legacy leads"),
        "Exported",
        "download",
    ),
    EventType(
        "old_leads.rehearsed",
        "RESTORE",
        _("Export of legacy leads verified"),
        _("{who} verified the export of the legacy leads"),
        "Rehearsed",
        "check",
    ),
    EventType(
        "old_leads.drop_confirmed",
        "CONFIRM",
        _("Dropping of legacy leads confirmed"),
        _("{who} confirmed dropping the legacy leads"),
        "Confirmed",
        "check",
    ),
    EventType(
        "old_leads.dropped",
        "DELETE",
        _("Legacy leads dropped"),
        _("{who} dropped the legacy leads"),
        "Dropped",
        "trash-2",
        severity="warning",
    ),
)
