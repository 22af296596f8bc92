"""The lead's record type, and this app's logged settings."""

from audit import subjects
from contacts.axes import LIFECYCLE
from contacts.hooks import show_in_contact_timeline
from contacts.timeline import linked_record_timeline
from crm.events import registry as events
from crm.events.registry import EventType
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.records.declare import common_record_events, declare
from crm.records.registry import RecordType
from leads.axes import OPEN, STAGE, STATUS
from leads.board import BOARD
from leads.definitions import LIFECYCLE_DEFINITIONS, STAGE_DEFINITIONS, STATUS_DEFINITIONS
from leads.entities import LEAD, OF_CONTACT
from leads.forms import QualifyForm
from leads.lists import LEADS, NAV
from leads.open_leads import refuse_second_open
from leads.pages import lead_page, lead_panel, origin_lead
from leads.verbs.create_leads import create_leads
from leads.verbs.first_contact import first_contact
from leads.verbs.lose_leads import lose_leads
from leads.verbs.qualify import qualify
from leads.verbs.reactivate import reactivate

LEAD_TYPE = declare(
    RecordType(
        entity=LEAD,
        gives={"contact": OF_CONTACT},
        # Wording of source 003 (Logged Events).
        events=(
            *common_record_events(
                "lead",
                icon="sprout",
                created=(_("Lead created"), _("{who} created the lead")),
                updated=(_("Lead changed"), _("{who} changed the lead")),
                assigned=(_("Lead assigned"), _("{who} assigned the lead")),
                deleted=(_("Lead moved to trash"), _("{who} moved the lead to the trash")),
                restored=(_("Lead restored"), _("{who} restored the lead")),
            ),
            EventType(
                "lead.contacted",
                "UPDATE",
                _("First contact made"),
                _("{who} logged the first contact"),
                "Contacted",
                "phone",
            ),
            EventType(
                "lead.synced",
                "UPDATE",
                _("Lead status updated"),
                _("{who} updated the lead’s status"),
                "Updated",
                "refresh-cw",
                derived=True,
            ),
            EventType(
                "lead.qualified",
                "QUALIFY",
                _("Lead qualified manually"),
                _("{who} qualified the lead manually"),
                "Qualified",
                "badge-check",
            ),
            EventType(
                "lead.restaged",
                "QUALIFY",
                _("Qualification stage updated"),
                _("{who} updated the lead’s score"),
                "Qualified",
                "gauge",
                derived=True,
            ),
            EventType(
                "lead.converted",
                "CONVERT",
                _("Lead converted"),
                _("{who} converted the lead"),
                "Converted",
                "circle-dollar-sign",
            ),
            EventType("lead.lost", "LOSE", _("Lead lost"), _("{who} marked the lead as lost"), "Lost", "circle-x"),
            EventType(
                "lead.reactivated",
                "REACTIVATE",
                _("Lead reactivated"),
                _("{who} reactivated the lead"),
                "Reactivated",
                "rotate-ccw",
                "warning",
            ),
            EventType(
                "lead.overdue",
                "OVERDUE",
                _("First-contact SLA breached"),
                _("{who} marked the first contact as overdue"),
                "Overdue",
                "alarm-clock",
                "warning",
                derived=True,
            ),
        ),
        person="contact_id",
        following=(
            "qualified_date",
            "converted_date",
            "won_date",
            "lost_date",
            "contacted_at",
            "floor_until",
            "floor_reason",
        ),
        set_by_moves=("lost_reason", "opportunity"),
        axes=(STATUS, STAGE),
        definitions={LIFECYCLE: LIFECYCLE_DEFINITIONS, STATUS: STATUS_DEFINITIONS, STAGE: STAGE_DEFINITIONS},
        verbs={"first_contact": first_contact, "qualify": qualify, "lose": lose_leads, "reactivate": reactivate},
        forms={"qualify": QualifyForm},
        ledes={
            "qualify": lambda lead: gettext(
                "The lead keeps this stage for 14 days regardless of its score. Then scoring takes over again. "
                "Your reason is shown on the record."
            ),
            "lose": lambda lead: gettext(
                "The lead stays on file with this reason. {contact}’s lifecycle stage doesn’t change."
            ).format(contact=lead.contact),
            "reactivate": lambda lead: gettext(
                "We recommend creating a new lead instead. Reactivating continues this lead and moves its contact "
                "back to Lead. It is flagged in the audit log."
            ),
        },
        create=create_leads,
        hold_in_trash=lambda locked: refuse_second_open(locked, OPEN),
        asked_once=("contact",),
        related=("contact__company", "owner__user", "team", "opportunity", "score"),
        timeline=linked_record_timeline,
        about=lambda lead: {"contact_id": lead.contact_id},
        name=lambda lead: gettext("Lead {name}").format(name=lead),
        hint="source",
        listing=LEADS,
        board=BOARD,
        nav=NAV,
        files=("export",),
        template="leads/lead.html",
        page=lead_page,
        panels={"contact": lead_panel, "opportunity": origin_lead},
    )
)
show_in_contact_timeline("lead", by_name=False)

for setting, model in (
    ("scoring_model", "ScoringModel"),
    ("assignment_rule", "AssignmentRule"),
    ("duty", "Duty"),
    ("first_contact_terms", "FirstContactTerms"),
):
    subjects.register(setting, f"leads.{model}")
events.declare(
    EventType(
        "scoring_model.created",
        "CREATE",
        _("Scoring model changed"),
        _("{who} changed the scoring model"),
        icon="sliders-horizontal",
    ),
    EventType(
        "assignment_rule.created",
        "CREATE",
        _("Assignment rule created"),
        _("{who} created an assignment rule"),
        icon="git-branch",
    ),
    EventType(
        "assignment_rule.updated",
        "UPDATE",
        _("Assignment rule changed"),
        _("{who} changed an assignment rule"),
        icon="git-branch",
    ),
    EventType(
        "duty.created",
        "CREATE",
        _("Assignment pool changed"),
        _("{who} changed the assignment pool"),
        icon="users-round",
    ),
    EventType(
        "duty.updated",
        "UPDATE",
        _("Assignment pool changed"),
        _("{who} changed the assignment pool"),
        icon="users-round",
    ),
    EventType(
        "first_contact_terms.created",
        "CREATE",
        _("First-contact SLA changed"),
        _("{who} changed the first-contact SLA"),
        icon="alarm-clock",
    ),
    EventType(
        "first_contact_terms.updated",
        "UPDATE",
        _("First-contact SLA changed"),
        _("{who} changed the first-contact SLA"),
        icon="alarm-clock",
    ),
)
