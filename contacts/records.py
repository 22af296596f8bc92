"""The kinds of record of this app: contacts and companies."""

from audit import subjects
from contacts import timeline
from contacts.axes import LIFECYCLE, STATUS
from contacts.definitions import STATUS_DEFINITIONS
from contacts.editing import check_edit, refuse_merged, with_full_name
from contacts.entities import ACTIVITY, COMPANY, CONTACT, ENGAGEMENT
from contacts.imports.events import EventImporter
from contacts.imports.importer import ContactImporter
from contacts.lists import COMPANIES, COMPANIES_NAV, CONTACTS, CONTACTS_NAV
from contacts.moves import VERBS
from contacts.pages import company_page, contact_header_context, contact_page
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from contacts.verbs.override import override
from crm.entities import registry as entities
from crm.events import registry as events
from crm.events.registry import EventType
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports import registry as imports
from crm.lists.imports.registry import Relation
from crm.records.declare import common_record_events, declare
from crm.records.registry import RecordType

COMPANY_TYPE = declare(
    RecordType(
        entity=COMPANY,
        events=common_record_events("company", "this company", icon="building-2"),
        create=create_company,
        timeline=timeline.of_company,
        about=lambda company: {"company_id": company.pk},
        hint="city",
        listing=COMPANIES,
        nav=COMPANIES_NAV,
        files=(),
        template="contacts/company.html",
        page=company_page,
    )
)

CONTACT_TYPE = declare(
    RecordType(
        entity=CONTACT,
        events=(
            *common_record_events("contact", "this contact", icon="user-plus"),
            EventType("contact.captured", "CREATE", "captured this contact", "Captured", "magnet"),
            EventType("contact.enriched", "UPDATE", "enriched", "Enriched", "sparkles"),
            EventType("contact.status_changed", "UPDATE", "changed", "StatusChanged", "activity"),
            EventType("contact.qualified", "QUALIFY", "qualified this contact", "Qualified", "badge-check"),
            EventType("contact.won", "WIN", "won this contact", "Won", "trophy"),
            EventType("contact.lost", "LOSE", "marked this contact as lost", "Lost", "circle-x"),
            EventType("contact.churned", "CHURN", "marked this contact as churned", "Churned", "log-out"),
            EventType("contact.partnered", "PARTNER", "made this contact a partner", "Partnered", "handshake"),
            EventType("contact.reopened", "REOPEN", "reopened this contact", "Reopened", "rotate-ccw"),
            EventType("contact.overridden", "OVERRIDE", "overrode the stage", "Overridden", "shield-alert", "warning"),
            EventType("contact.engaged", "UPDATE", "recorded", "Engaged", "mouse-pointer-click"),
            EventType("contact.disengaged", "UPDATE", "removed recorded engagement", "Disengaged", "mouse-pointer-ban"),
            EventType("contact.merged", "MERGE", "merged a duplicate into this contact", "Merged", "merge"),
            EventType("contact.absorbed", "MERGE", "merged this contact into another", "Absorbed", "merge"),
        ),
        person="pk",
        following=("last_activity", "last_engagement", "engagement"),
        axes=(LIFECYCLE, STATUS),
        definitions={STATUS: STATUS_DEFINITIONS},
        verbs=VERBS | {"override": override},
        ledes={"override": _("This bypasses the stage rules and is flagged in the audit log.")},
        form_axis=LIFECYCLE,
        create=create,
        check_edit=check_edit,
        complete=with_full_name,
        hold_in_trash=refuse_merged,
        related=("company", "owner__user", "team", "manager"),
        timeline=timeline.of_contact,
        about=lambda contact: {"contact_id": contact.pk},
        hint="email",
        listing=CONTACTS,
        nav=CONTACTS_NAV,
        importer=ContactImporter,
        relations=(Relation("company", "company"),),
        template="contacts/contact.html",
        head_template="contacts/head.html",
        head=contact_header_context,
        page=contact_page,
    )
)

# What has no pages of its own.
subjects.register("suppression", "contacts.Suppression")
subjects.register("activity", "contacts.Activity", person="contact_id")
subjects.register("engagement", "contacts.EngagementEvent", person="contact_id")
entities.register(ACTIVITY)
entities.register(ENGAGEMENT)
imports.register(EventImporter)
events.declare(
    EventType("suppression.added", "UPDATE", "suppressed the address", "Suppressed", "mail-x"),
    EventType("suppression.lifted", "LIFT", "lifted the suppression", "SuppressionLifted", "mail-check", "warning"),
    EventType("activity.logged", "CREATE", "logged", "Logged", "message-square"),
    EventType("activity.planned", "CREATE", "planned", "Planned", "square-check"),
    EventType("activity.updated", "UPDATE", "changed", "Updated", "pencil"),
    EventType("activity.completed", "COMPLETE", "completed", "Completed", "square-check-big"),
    EventType("activity.deleted", "DELETE", "deleted", "Deleted", "trash-2"),
    EventType("engagement.moved", "UPDATE", "moved what they did", "Updated", "merge"),
)
