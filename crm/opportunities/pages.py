"""Opportunity pages, and the panel on contact and company pages."""

from dataclasses import replace
from typing import Any

from django.db.models import Case, F, IntegerField, When
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from contacts.hooks import on_composer
from contacts.models import Contact
from contacts.timeline import Page, people_timeline
from crm.entities.registry import entity_of
from crm.kit.actor import Actor, Role
from crm.lifecycle.offers import OfferedMove, offers
from crm.opportunities.axes import STAGE
from crm.opportunities.contacts import further_prospects
from crm.opportunities.models import Opportunity, OpportunityContact, StageKind
from crm.opportunities.pipelines import choice, name_of, pipelines, process, stages
from crm.records.facts import fact
from crm.records.forms import editable_fields
from crm.users.http import Request
from crm.users.visibility import may_edit


def opportunity_head(opportunity: Opportunity, by: Actor, editable: bool) -> dict[str, Any]:
    """Return the stage and available moves; moves between open stages are separate, as steps."""
    found = [_asking(offer, opportunity, by) for offer in offers(opportunity, STAGE, by=by, editable=editable)]
    [next_step] = [field for field in editable_fields("opportunity") if field.key == "next_step"]
    return {
        "stage": STAGE.value(opportunity.stage),
        "pipeline": name_of(process().pipelines[opportunity.pipeline]) if len(pipelines()) > 1 else "",
        "steps": [choice(stage) for stage in stages(StageKind.OPEN, pipeline=opportunity.pipeline)],
        "step": next((offer for offer in found if offer.move.verb == "move_stage"), None),
        "offers": [offer for offer in found if offer.move.verb != "move_stage" and _is_possible(offer)],
        "next_step": fact(opportunity, next_step),
        "may_reopen": any(offer.move.verb == "reopen" for offer in found),
    }


def _asking(offer: OfferedMove, opportunity: Opportunity, by: Actor) -> OfferedMove:
    """Return a move; winning asks first which further people become customers."""
    asks = offer.move.verb == "win" and offer.allowed and further_prospects(opportunity, by).exists()
    return replace(offer, asks=True) if asks else offer


def _is_possible(offer: OfferedMove) -> bool:
    """Return whether to show a move: changing the pipeline takes two of them."""
    return not offer.move.leaves_group or len(pipelines()) > 1


def opportunity_about(opportunity: Opportunity) -> dict[str, int]:
    """Return what an activity of an opportunity is about: itself, and its contact, or its company if it has none."""
    if opportunity.contact_id:
        return {"contact_id": opportunity.contact_id, "opportunity_id": opportunity.pk}
    return {"company_id": opportunity.company_id, "opportunity_id": opportunity.pk} if opportunity.company_id else {}


def timeline_with_people(opportunity: Opportunity, by: Actor, before: str = "") -> Page:
    """Return the opportunity's timeline with all activities of its people."""
    people = OpportunityContact.objects.live().filter(opportunity=opportunity).values_list("contact", flat=True)
    return people_timeline(opportunity, [opportunity.contact_id or 0, *people], by, before)


def opportunity_page(opportunity: Opportunity, by: Actor, editable: bool) -> dict[str, Any]:
    """Return the contact if visible: other viewers see only its name."""
    return {"contact": Contact.objects.visible_to(by).filter(pk=opportunity.contact_id).first()}


def people_panel(opportunity: Opportunity, request: Request) -> SafeString:
    """Show the primary contact and the further people with their roles; of hidden ones the name alone."""
    people = OpportunityContact.objects.live().filter(opportunity=opportunity).select_related("contact")
    rows = list(people.order_by("contact__name_key", "pk"))
    everyone = [row.contact_id for row in rows] + [opportunity.contact_id]
    seen = {*Contact.objects.visible_to(request.actor).filter(pk__in=everyone).values_list("pk", flat=True)}
    context = {
        "record": opportunity,
        "primary": opportunity.contact,
        "primary_seen": opportunity.contact_id in seen,
        "people": [(row, row.contact_id in seen) for row in rows],
        "may_add": may_edit(opportunity, request.actor) and opportunity.deleted_at is None,
    }
    return render_to_string("opportunities/people.html", context, request)


SHOWN = 10
IS_CLOSED = Case(When(stage_kind=StageKind.OPEN, then=0), default=1, output_field=IntegerField())
# Next to close first; then closed ones, latest first.
CLOSING = Case(When(stage_kind=StageKind.OPEN, then=F("close_date")))
ORDER = (IS_CLOSED, CLOSING.asc(nulls_last=True), "-stage_since", "pk")


def _shown(record: Any, by: Actor) -> list[Opportunity]:
    """Return what the panel shows, and one more. Kept with the record, because the form below it asks too."""
    known = record.__dict__.setdefault("shown_opportunities", {})
    if by not in known:
        found = Opportunity.objects.live().visible_to(by).filter(**{entity_of(type(record)): record})
        known[by] = list(found.order_by(*ORDER)[: SHOWN + 1])
    return known[by]


@on_composer
def offer_opportunities(record: Any, by: Actor) -> list[tuple[int, str]]:
    """Return the open opportunities that an activity on a contact or company can be about."""
    if entity_of(type(record)) not in ("contact", "company"):
        return []
    return [(row.pk, row.name) for row in _shown(record, by) if row.stage_kind == StageKind.OPEN]


def opportunities_panel(record: Any, request: Request) -> SafeString:
    """Show a contact's or company's open, won and lost opportunities, with a button to create one."""
    entity = entity_of(type(record))
    rows = [(row, STAGE.value(row.stage)) for row in _shown(record, request.actor)]
    context = {"rows": rows[:SHOWN], "more": len(rows) > SHOWN, "record": record, "entity": entity}
    context["may_add"] = request.actor.is_at_least(Role.REP) and record.deleted_at is None
    return render_to_string("opportunities/panel.html", context)
