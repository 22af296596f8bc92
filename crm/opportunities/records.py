"""The opportunity's record type."""

from contacts.hooks import show_in_contact_timeline
from contacts.timeline import linked_record_timeline
from crm.events.registry import EventType
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.registry import Relation
from crm.opportunities.amounts import amounts_panel
from crm.opportunities.axes import STAGE
from crm.opportunities.board import BOARD
from crm.opportunities.definitions import STAGE_DEFINITIONS
from crm.opportunities.entities import OPPORTUNITY, THEIRS
from crm.opportunities.forms import LoseForm, ReopenForm
from crm.opportunities.imports.importer import OpportunityImporter
from crm.opportunities.lists import NAV, OPPORTUNITIES
from crm.opportunities.pages import opportunities_panel, opportunity_head, opportunity_page
from crm.opportunities.verbs.create import create
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.reopen import reopen
from crm.opportunities.verbs.win import win
from crm.records import panels
from crm.records.declare import common_record_events, declare
from crm.records.registry import RecordType

OPPORTUNITY_TYPE = declare(
    RecordType(
        entity=OPPORTUNITY,
        gives={"contact": (THEIRS,), "company": (THEIRS,)},
        events=(
            *common_record_events(
                "opportunity",
                icon="circle-dollar-sign",
                created=(_("Opportunity created"), _("{who} created the opportunity")),
                updated=(_("Opportunity changed"), _("{who} changed the opportunity")),
                assigned=(_("Opportunity assigned"), _("{who} assigned the opportunity")),
                deleted=(_("Opportunity moved to trash"), _("{who} moved the opportunity to the trash")),
                restored=(_("Opportunity restored"), _("{who} restored the opportunity")),
            ),
            EventType(
                "opportunity.moved",
                "MOVE",
                _("Opportunity stage changed"),
                _("{who} moved the opportunity"),
                "Moved",
                "arrow-right-left",
            ),
            EventType(
                "opportunity.won",
                "WIN",
                _("Opportunity won"),
                _("{who} marked the opportunity as won"),
                "Won",
                "trophy",
            ),
            EventType(
                "opportunity.lost",
                "LOSE",
                _("Opportunity lost"),
                _("{who} marked the opportunity as lost"),
                "Lost",
                "circle-x",
            ),
            EventType(
                "opportunity.reopened",
                "REOPEN",
                _("Opportunity reopened"),
                _("{who} reopened the opportunity"),
                "Reopened",
                "rotate-ccw",
            ),
        ),
        person="contact_id",
        following=("won_at", "lost_at"),
        set_by_moves=("probability", "lost_reason"),
        axes=(STAGE,),
        definitions={STAGE: STAGE_DEFINITIONS},
        verbs={"move_stage": move_stage, "win": win, "lose": lose, "reopen": reopen},
        forms={"lose": LoseForm, "reopen": ReopenForm},
        ledes={"win": _("{record.contact} will become a Customer.")},
        create=create,
        related=("contact", "company", "owner__user", "team"),
        timeline=linked_record_timeline,
        about=lambda opportunity: {"contact_id": opportunity.contact_id},
        hint="contact__name",
        found="opportunities/found.html",
        listing=OPPORTUNITIES,
        board=BOARD,
        nav=NAV,
        importer=OpportunityImporter,
        relations=(Relation("company", "company", closed=frozenset({"parent"})),),
        template="opportunities/opportunity.html",
        head=opportunity_head,
        page=opportunity_page,
        panels={"contact": opportunities_panel, "company": opportunities_panel},
    )
)
show_in_contact_timeline("opportunity")
panels.register("company", amounts_panel)
