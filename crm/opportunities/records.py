"""The opportunity's record type."""

from collections.abc import Mapping
from typing import Any

from contacts.hooks import show_in_contact_timeline
from contacts.timeline import own_activities_timeline
from crm.events.registry import EventType
from crm.kit.errors import Invalid
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.registry import Relation
from crm.opportunities.amounts import amounts_panel
from crm.opportunities.axes import STAGE
from crm.opportunities.board import BOARD
from crm.opportunities.definitions import STAGE_DEFINITIONS
from crm.opportunities.entities import ABOUT, OPPORTUNITY, THEIRS
from crm.opportunities.forms import LoseForm, WinForm
from crm.opportunities.imports.importer import OpportunityImporter
from crm.opportunities.lists import NAV, OPPORTUNITIES
from crm.opportunities.models import Opportunity, OpportunityContact, StageKind
from crm.opportunities.pages import (
    opportunities_panel,
    opportunity_about,
    opportunity_head,
    opportunity_page,
    people_panel,
    timeline_with_people,
)
from crm.opportunities.pipelines import is_archived
from crm.opportunities.pipelines import stage as stage_named
from crm.opportunities.stage_moves import why_archived
from crm.opportunities.verbs.change_pipeline import change_pipeline
from crm.opportunities.verbs.create import create
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.reopen import reopen
from crm.opportunities.verbs.win import win
from crm.records import panels
from crm.records.declare import common_record_events, declare
from crm.records.registry import RecordType
from crm.users.visibility import Locked


def refuse_no_one(locked: Locked, changes: Mapping[str, Any]) -> None:
    """Raise Invalid if opportunities would have neither a contact nor a company, or one person twice."""
    people = OpportunityContact.objects.live().filter(opportunity__in=locked.ids)
    if changes.get("contact") and people.filter(contact=changes["contact"]).exists():
        sentence = gettext("This person is already on the opportunity. Make them the primary contact under People.")
        raise Invalid({"contact": sentence})
    cleared = {key for key in ("contact", "company") if key in changes and changes[key] is None}
    left = {"contact", "company"} - cleared
    alone = Opportunity.objects.filter(pk__any_of=locked.ids, **{f"{key}__isnull": True for key in left})
    if cleared and not any(changes.get(key) for key in left) and alone.exists():
        raise Invalid({key: gettext("Choose a contact or a company.") for key in cleared})


def refuse_archived_stages(locked: Locked) -> None:
    """Refuse to restore opportunities to an archived pipeline, unless they are won or lost."""
    for rows in locked.batches():
        for pk, stage in rows.filter(stage_kind=StageKind.OPEN).values_list("pk", "stage"):
            if is_archived(stage_named(stage)):
                locked.outcome.refuse([pk], why_archived(stage))


def _win_lede(opportunity: Opportunity) -> str:
    if opportunity.contact is None:
        return ""
    return gettext("{contact} will become a Customer.").format(contact=opportunity.contact)


OPPORTUNITY_TYPE = declare(
    RecordType(
        entity=OPPORTUNITY,
        gives={"contact": (THEIRS,), "company": (THEIRS,), "activity": (ABOUT,)},
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
                "opportunity.pipeline_changed",
                "MOVE",
                _("Opportunity moved to another pipeline"),
                _("{who} moved the opportunity to another pipeline"),
                "PipelineChanged",
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
        following=("won_at", "lost_at", "stage_kind"),
        set_by_moves=("probability", "lost_reason"),
        axes=(STAGE,),
        definitions={STAGE: STAGE_DEFINITIONS},
        verbs={
            "move_stage": move_stage,
            "win": win,
            "lose": lose,
            "reopen": reopen,
            "change_pipeline": change_pipeline,
        },
        forms={"win": WinForm, "lose": LoseForm},
        form_axis=STAGE,
        check_edit=refuse_no_one,
        hold_in_trash=refuse_archived_stages,
        together=(("pipeline", "stage", "stage_kind"),),
        ledes={"win": _win_lede},
        create=create,
        related=("contact", "company", "owner__user", "team"),
        timeline=own_activities_timeline,
        wide_timeline=timeline_with_people,
        about=opportunity_about,
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
panels.register("opportunity", people_panel)
panels.register("company", amounts_panel)
