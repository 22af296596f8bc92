"""Record types of this app: contacts and companies."""

from audit import subjects
from contacts import timeline
from contacts.activities.listing import ACTIVITIES, ACTIVITIES_NAV
from contacts.activities.participants import activity_names
from contacts.addresses import EMAIL_FIELDS, PHONE_FIELDS
from contacts.axes import LIFECYCLE, STATUS
from contacts.companies import check_company, hold_companies
from contacts.definitions import STATUS_DEFINITIONS
from contacts.domains import suggest_company
from contacts.editing import check_edit, hold_in_trash, with_full_name
from contacts.entities import ACTIVITY, ADDRESS, COMPANY, CONTACT, ENGAGEMENT, PARTICIPANT
from contacts.hierarchy import lock_hierarchy
from contacts.hooks import show_in_contact_timeline
from contacts.imports.company_importer import CompanyImporter
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
from crm.kit import nav
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists import spec as lists
from crm.lists.imports import registry as imports
from crm.lists.imports.registry import Relation
from crm.records.declare import common_record_events, declare
from crm.records.registry import RecordType

COMPANY_TYPE = declare(
    RecordType(
        entity=COMPANY,
        events=(
            *common_record_events(
                "company",
                icon="building-2",
                created=(_("Company created"), _("{who} created this company")),
                updated=(_("Company changed"), _("{who} changed this company")),
                assigned=(_("Company assigned"), _("{who} assigned this company")),
                deleted=(_("Company moved to trash"), _("{who} moved this company to the trash")),
                restored=(_("Company restored"), _("{who} restored this company")),
            ),
            EventType(
                "company.merged",
                "MERGE",
                _("Company merged"),
                _("{who} merged a duplicate into this company"),
                "Merged",
                "merge",
            ),
            EventType(
                "company.absorbed",
                "MERGE",
                _("Company merged into another"),
                _("{who} merged this company into another"),
                "Absorbed",
                "merge",
            ),
        ),
        create=create_company,
        lock_first=lock_hierarchy,
        check_edit=check_company,
        hold_in_trash=hold_companies,
        related=("owner__user", "team", "parent"),
        timeline=timeline.of_company,
        about=lambda company: {"company_id": company.pk},
        hint="city",
        listing=COMPANIES,
        nav=COMPANIES_NAV,
        importer=CompanyImporter,
        template="contacts/company.html",
        page=company_page,
    )
)

CONTACT_TYPE = declare(
    RecordType(
        entity=CONTACT,
        events=(
            *common_record_events(
                "contact",
                icon="user-plus",
                created=(_("Contact created"), _("{who} created this contact")),
                updated=(_("Contact changed"), _("{who} changed this contact")),
                assigned=(_("Contact assigned"), _("{who} assigned this contact")),
                deleted=(_("Contact moved to trash"), _("{who} moved this contact to the trash")),
                restored=(_("Contact restored"), _("{who} restored this contact")),
            ),
            EventType(
                "contact.captured",
                "CREATE",
                _("Contact captured"),
                _("{who} created this contact"),
                "Captured",
                "magnet",
            ),
            EventType(
                "contact.enriched",
                "UPDATE",
                _("Contact enriched"),
                _("{who} enriched this contact"),
                "Enriched",
                "sparkles",
            ),
            EventType(
                "contact.status_changed",
                "UPDATE",
                _("Contact status changed"),
                _("{who} changed the status"),
                "StatusChanged",
                "activity",
            ),
            EventType(
                "contact.qualified",
                "QUALIFY",
                _("Contact qualified"),
                _("{who} qualified this contact"),
                "Qualified",
                "badge-check",
            ),
            EventType(
                "contact.won",
                "WIN",
                _("Contact became a customer"),
                _("{who} marked this contact as a customer"),
                "Won",
                "trophy",
            ),
            EventType(
                "contact.lost", "LOSE", _("Contact lost"), _("{who} marked this contact as lost"), "Lost", "circle-x"
            ),
            EventType(
                "contact.churned",
                "CHURN",
                _("Contact churned"),
                _("{who} marked this contact as churned"),
                "Churned",
                "log-out",
            ),
            EventType(
                "contact.partnered",
                "PARTNER",
                _("Contact became a partner"),
                _("{who} marked this contact as a partner"),
                "Partnered",
                "handshake",
            ),
            EventType(
                "contact.reopened",
                "REOPEN",
                _("Contact reopened"),
                _("{who} reopened this contact"),
                "Reopened",
                "rotate-ccw",
            ),
            EventType(
                "contact.overridden",
                "OVERRIDE",
                _("Contact stage overridden"),
                _("{who} overrode the lifecycle stage"),
                "Overridden",
                "shield-alert",
                "warning",
            ),
            EventType(
                "contact.engaged",
                "UPDATE",
                _("Engagement recorded"),
                _("{who} recorded engagement"),
                "Engaged",
                "mouse-pointer-click",
            ),
            EventType(
                "contact.disengaged",
                "UPDATE",
                _("Engagement removed"),
                _("{who} removed recorded engagement"),
                "Disengaged",
                "mouse-pointer-ban",
            ),
            EventType(
                "contact.merged",
                "MERGE",
                _("Contact merged"),
                _("{who} merged a duplicate into this contact"),
                "Merged",
                "merge",
            ),
            EventType(
                "contact.absorbed",
                "MERGE",
                _("Contact merged into another"),
                _("{who} merged this contact into another"),
                "Absorbed",
                "merge",
            ),
        ),
        person="pk",
        following=("last_activity", "last_engagement", "engagement"),
        together=(EMAIL_FIELDS, PHONE_FIELDS),
        axes=(LIFECYCLE, STATUS),
        definitions={STATUS: STATUS_DEFINITIONS},
        verbs=VERBS | {"override": override},
        ledes={"override": lambda contact: gettext("This bypasses the stage rules and is flagged in the audit log.")},
        form_axis=LIFECYCLE,
        create=create,
        suggest=suggest_company,
        check_edit=check_edit,
        complete=with_full_name,
        hold_in_trash=hold_in_trash,
        related=("company", "owner__user", "team", "manager"),
        timeline=timeline.of_contact,
        about=lambda contact: {"contact_id": contact.pk},
        hint="email",
        listing=CONTACTS,
        nav=CONTACTS_NAV,
        importer=ContactImporter,
        relations=(Relation("company", "company", closed=frozenset({"parent"})),),
        template="contacts/contact.html",
        head_template="contacts/head.html",
        head=contact_header_context,
        page=contact_page,
    )
)

# Types without pages.
subjects.register("suppression", "contacts.Suppression")
subjects.register("free_mail_domains", "contacts.FreeMailDomains")
subjects.register("activity", "contacts.Activity", person="contact_id", following=("series_start",))
subjects.register("participant", "contacts.Participant", person="contact_id")
subjects.register("engagement", "contacts.EngagementEvent", person="contact_id")
entities.register(ACTIVITY)
entities.register(PARTICIPANT)
lists.register(ACTIVITIES)
nav.register(ACTIVITIES_NAV)
show_in_contact_timeline("participant", names=activity_names)
entities.register(ADDRESS)
entities.register(ENGAGEMENT)
imports.register(EventImporter)
events.declare(
    EventType(
        "suppression.added",
        "UPDATE",
        _("Address suppressed"),
        _("{who} suppressed the address"),
        "Suppressed",
        "mail-x",
    ),
    EventType(
        "suppression.lifted",
        "LIFT",
        _("Suppression lifted"),
        _("{who} lifted the suppression"),
        "SuppressionLifted",
        "mail-check",
        "warning",
    ),
    *(
        EventType(
            f"free_mail_domains.{what}",
            action,
            _("Free email domains changed"),
            _("{who} changed the free email domains"),
            icon="at-sign",
        )
        for what, action in (("created", "CREATE"), ("updated", "UPDATE"))
    ),
    EventType(
        "activity.logged", "CREATE", _("Activity logged"), _("{who} logged an activity"), "Logged", "message-square"
    ),
    EventType(
        "activity.planned", "CREATE", _("Task created"), _("{who} created an activity"), "Planned", "square-check"
    ),
    EventType("activity.updated", "UPDATE", _("Activity changed"), _("{who} changed an activity"), "Updated", "pencil"),
    EventType(
        "activity.completed",
        "COMPLETE",
        _("Activity completed"),
        _("{who} completed an activity"),
        "Completed",
        "square-check-big",
    ),
    EventType(
        "activity.deleted", "DELETE", _("Activity deleted"), _("{who} deleted an activity"), "Deleted", "trash-2"
    ),
    EventType(
        "activity.restored",
        "RESTORE",
        _("Activity restored"),
        _("{who} restored an activity"),
        "Restored",
        "archive-restore",
    ),
    EventType(
        "participant.added",
        "CREATE",
        _("Participant added"),
        _("{who} added the contact to an activity"),
        icon="user-plus",
    ),
    EventType(
        "participant.moved",
        "UPDATE",
        _("Participant moved"),
        _("{who} moved the participation of a merged contact"),
        icon="merge",
    ),
    EventType(
        "participant.removed",
        "DELETE",
        _("Participant removed"),
        _("{who} took the contact out of an activity"),
        icon="user-minus",
    ),
    EventType(
        "engagement.moved",
        "UPDATE",
        _("Engagement moved"),
        _("{who} moved the engagement of a merged contact"),
        "Updated",
        "merge",
    ),
)
